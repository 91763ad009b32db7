"""The definitions of a snippet come without what its demo cells do."""

from readinglist.sources.snippet import definitions


def test_definition_cells_run_in_order_and_demo_cells_do_not(make_snippet):
    snippet = make_snippet(
        "thing",
        "# %% one\ndef one(x: int):\n    return x + OFFSET",
        '# %% two tags=["demo"]\nraise RuntimeError("a demo ran")',
        "# %% three\nOFFSET = one.__annotations__['x'](2)",
    )
    names = definitions(snippet.path)
    assert names.one(1) == 3
    assert names.__name__ == "thing"
