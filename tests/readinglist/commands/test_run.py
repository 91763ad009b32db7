"""What `run NAME` prints."""

from __future__ import annotations

from readinglist.commands.run import transcript

CELLS = """# %% define
x = 1

# %% prints tags=["demo"]
assert x

# %% draws tags=["demo"] alt="A line that falls."
x

# %% plays tags=["demo"] alt="A tone."
x"""


def test_outputs_assertions_and_the_time_against_the_budget(make_snippet, run_of, tmp_path):
    snippet = make_snippet("thing", CELLS)
    display = {"output_type": "display_data", "metadata": {}}
    outputs = {
        "prints": [{"output_type": "stream", "name": "stdout", "text": "\x1b[1mone\x1b[0m\ntwo\n"}],
        "draws": [{**display, "data": {"image/svg+xml": "<svg/>", "text/plain": "<Figure>"}}],
        "plays": [{**display, "data": {
            "text/html": '<audio controls src="data:audio/wav;base64,AAAA"></audio>'}}],
    }  # fmt: skip
    run = run_of(snippet, outputs, seconds=61.2, files={"x.txt": tmp_path / "x.txt"})
    assert transcript(snippet, run) == (
        "snippets/thing.py: A title\n\n"
        "prints (line 16)\n    one\n    two\n\n"
        "draws (line 19)\n    [figure] A line that falls.\n\n"
        "plays (line 22)\n    [sound] A tone.\n\n"
        "1 assertion held; 61.2 s of the 60 s that a snippet may take; run on 2026-01-31.\n"
        "Wrote x.txt.\n"
        "It takes too long: make it do less.\n"
    )
