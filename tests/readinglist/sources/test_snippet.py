"""Reading a snippet: its cells with their lines, and everything that can be wrong with them."""

from __future__ import annotations

import pytest

from readinglist.sources.snippet import definitions, read_snippet

FIRST = 13  # the line of the first code cell's marker


@pytest.fixture
def wrong(tmp_path, faults_of):
    """What is wrong with a text as `snippets/thing.py`."""

    def read(text: str | bytes) -> list[str]:
        path = tmp_path / "thing.py"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return faults_of(read_snippet, path, {}, {"thing"})

    return read


def test_cells_have_names_lines_tags_and_alternative_text(make_snippet):
    snippet = make_snippet(
        "thing",
        "# %% define\nx = 1",
        "# %% [markdown]\n# Some prose.",
        """# %% draw tags=["demo"] alt="it's a = b, \\"x\\" [σ]"\nx""",
    )
    introduction, define, prose, draw = snippet.cells
    assert (introduction.line, define.line, prose.line, draw.line) == (8, 13, 16, 19)
    assert (prose.markdown, prose.source) == (True, "Some prose.")
    assert (define.name, define.source, define.demo, define.alt) == ("define", "x = 1", False, "")
    assert (draw.name, draw.demo, draw.alt) == ("draw", True, 'it\'s a = b, "x" [σ]')
    assert list(snippet.code) == ["define", "draw"]


def test_title_summary_concept_and_dependencies(make_snippet):
    snippet = make_snippet(
        "thing", "# %% imports\nimport numpy", title="The title", dependencies=("numpy",)
    )
    assert (snippet.name, snippet.title, snippet.summary) == ("thing", "The title", "A sentence.")
    assert snippet.concept == "a concept"
    assert list(snippet.dependencies) == ["numpy"]


def test_summary_is_the_first_paragraph_on_one_line(tmp_path, text_of_snippet):
    path = tmp_path / "thing.py"
    longer = "# A sentence\n# on two lines.\n#\n# Another paragraph."
    text = text_of_snippet("# %% a\n1").replace("# A sentence.", longer)
    path.write_text(text)
    assert read_snippet(path, {}, set()).summary == "A sentence on two lines."


def test_the_code_of_a_cell_is_that_of_the_file(make_snippet):
    """Jupytext takes some comments for shell commands and magics; here they are comments."""
    code = "# copy the weights\n# cat, then ls\n# %time is a magic\n# why?\nx = 1"
    (cell,) = make_snippet("thing", f"# %% a\n{code}").code.values()
    assert cell.source == code


def test_assertions_are_counted_outside_functions(make_snippet):
    snippet = make_snippet(
        "thing",
        "# %% a\ndef f(x):\n    assert x\n\n\nassert f",
        '# %% b tags=["demo"]\nfor i in range(3):\n    assert i < 3\n    if i:\n        assert i',
        "# %% c\nclass C:\n    assert True\n\n\ng = lambda: [x for x in ()]",
    )
    assert snippet.assertions == 3


def test_the_same_program_gives_the_same_notebook(make_snippet):
    first = make_snippet("thing", "# %% a\nx = 1").notebook()
    assert first == make_snippet("thing", "# %% a\nx = 1").notebook()
    assert [cell.metadata.get("name") for cell in first.cells] == [None, "a"]


def test_windows_line_ends_and_byte_order_mark_are_no_matter(tmp_path, text_of_snippet):
    path = tmp_path / "thing.py"
    text = text_of_snippet("# %% a\nx = 1\ny = 2")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_snippet(path, {}, set()).code["a"].source == "x = 1\ny = 2"


def test_a_cell_that_does_not_parse(wrong, text_of_snippet):
    assert wrong(text_of_snippet("# %% a\nx = 1\n\nif x\n    y")) == [
        f"thing.py:{FIRST + 3}: this does not parse: expected ':'; mend it"
    ]


def test_what_only_the_compiler_refuses(wrong, text_of_snippet):
    assert wrong(text_of_snippet("# %% a\nx = 1\nreturn x")) == [
        f"thing.py:{FIRST + 2}: this does not parse: 'return' outside function; mend it"
    ]


def test_a_magic_command_is_not_python(wrong, text_of_snippet):
    assert wrong(text_of_snippet("# %% a\n!ls")) == [
        f"thing.py:{FIRST + 1}: this does not parse: invalid syntax; mend it"
    ]


def test_lines_are_right_below_blank_lines(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\n\n\nx = (\n")
    assert wrong(text) == [
        f"thing.py:{FIRST + 3}: this does not parse: '(' was never closed; mend it"
    ]


def test_two_cells_of_one_name(wrong, text_of_snippet):
    assert wrong(text_of_snippet("# %% a\n1", "# %% b\n2", "# %% a\n3")) == [
        f"thing.py:{FIRST + 6}: a second cell named 'a' (first: line {FIRST}); rename one"
    ]


def test_a_heading_with_the_anchor_of_a_cell(wrong, text_of_snippet):
    prose = "# %% [markdown]\n# Prose.\n#\n# ## Forward"
    assert wrong(text_of_snippet(prose, "# %% forward\n1")) == [
        f"thing.py:{FIRST + 3}: the heading 'Forward' has the anchor of the cell 'forward'; "
        "rename one"
    ]


def test_a_heading_beside_a_cell_with_another_name(make_snippet):
    snippet = make_snippet("thing", "# %% [markdown]\n# ## The forward pass", "# %% forward\n1")
    assert "forward" in snippet.code


def test_a_cell_without_a_name(wrong, text_of_snippet):
    assert wrong(text_of_snippet("# %%\n1", '# %% tags=["demo"]\n1')) == [
        f"thing.py:{line}: this cell has no name; name it in snake_case, as in '# %% loss_curve'"
        for line in (FIRST, FIRST + 3)
    ]


@pytest.mark.parametrize("name", ["LossCurve", "loss curve", "2nd", "loss-curve", "_loss"])
def test_a_name_in_another_style(wrong, text_of_snippet, name):
    assert wrong(text_of_snippet(f"# %% {name}\n1")) == [
        f"thing.py:{FIRST}: this cell has '{name}'; name it in snake_case, as in '# %% loss_curve'"
    ]


@pytest.mark.parametrize("line", ["    # %% b", "#%% b", "  #%% b"])
def test_a_line_that_is_almost_a_marker(wrong, text_of_snippet, line):
    assert wrong(text_of_snippet(f"# %% a\nif True:\n{line}\n    x = 1")) == [
        f"thing.py:{FIRST + 2}: this line is not quite a marker; a cell starts with '# %% name' at "
        "the start of its line, and no other line may"
    ]


def test_a_marker_inside_a_string(wrong, text_of_snippet):
    assert wrong(text_of_snippet('# %% a\nx = """\n# %% b\n"""')) == [
        "thing.py:8: a line inside a string looks like a marker; the markers are lines "
        "[8, 13, 15]; a cell starts with '# %% name' at the start of its line, "
        "and no other line may"
    ]


INTRODUCTION = "the first cell must be '# %% [markdown]' with '# # Title', '#' and a sentence"


def test_no_introduction(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\n# A comment.\n\nx = 1").replace("# %% [markdown]", "# %% b")
    assert wrong(text) == [f"thing.py:8: {INTRODUCTION}"]


def test_an_introduction_without_a_sentence(wrong, text_of_snippet):
    assert wrong(text_of_snippet("# %% a\n1").replace("#\n# A sentence.\n", "")) == [
        f"thing.py:8: {INTRODUCTION}"
    ]


def test_an_empty_file_says_all_that_it_lacks(wrong):
    lines = wrong("")
    assert lines[0] == f"thing.py:1: {INTRODUCTION}"
    assert lines[1].startswith(
        "thing.py:1: there is no dependency block (PEP 723); put '# /// script'"
    )
    assert len(lines) == 2


def test_code_before_the_first_cell_would_be_lost(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\n1").replace("# ///\n\n", "# ///\n\nimport os\nos.getcwd()\n")
    assert wrong(text) == [
        "thing.py:8: this stands before the first cell, where it is neither run nor shown; "
        "move it into a cell"
    ]


def test_a_comment_before_the_first_cell_is_welcome(tmp_path, text_of_snippet):
    path = tmp_path / "thing.py"
    path.write_text(
        "#!/usr/bin/env python\n# %d percent: # %% is no marker here\n"
        + text_of_snippet("# %% a\n1")
    )
    assert read_snippet(path, {}, set()).code["a"].line == FIRST + 2


def test_bytes_that_are_not_utf8(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\nx = 1\ny = 'é'").encode("latin-1")
    assert wrong(text) == [
        f"thing.py:{FIRST + 2}: this is not UTF-8: the byte 0xe9; save the file as UTF-8"
    ]


def test_all_faults_of_a_file_come_together(wrong, text_of_snippet):
    lines = wrong(
        text_of_snippet("# %%\nimport flask", "# %% b\n1 +", "# %% b\nimport readinglist")
    )
    assert [line.split(":")[1] for line in lines] == ["13", "17", "19"]


def test_a_nameless_cell_does_not_hide_its_imports(wrong, text_of_snippet):
    lines = wrong(text_of_snippet("# %%\nimport readinglist"))
    assert [line.split(": ", 1)[1][:22] for line in lines] == [
        "this cell has no name;",
        "imports the project it",
    ]


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
