"""Running many snippets: what is run, in which order, side by side, and what is stored of it."""

from __future__ import annotations

import base64
import json
import signal
import struct
import time
import zlib
from dataclasses import replace
from threading import Timer, get_ident

import pytest

from readinglist.faults import Fault, Faults
from readinglist.running import runner as runner_module
from readinglist.running import store
from readinglist.running.outputs import executed_cell
from readinglist.running.project import make_runner as runner_of_project
from readinglist.running.runner import Runner
from readinglist.running.store import Cache, environment
from readinglist.sources.catalog import read_catalog

FIGURES = """# %% one
import sys

import matplotlib.pyplot as plt

print("before")
print("aside", file=sys.stderr)
for power in (1, 2):
    fig, ax = plt.subplots(num=power)
    ax.plot([x**power for x in range(5)], label="a & b")
    ax.legend()
    plt.show()
    print(f"after {power}")"""
LAST_FIGURE = "# %% two\nfig, ax = plt.subplots()\nax.scatter([1, 2], [2, 1])\nax"


def png() -> str:
    """The smallest image: one white point."""

    def part(kind: bytes, data: bytes) -> bytes:
        sum_ = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", sum_)

    head = struct.pack(">2I5B", 1, 1, 8, 0, 0, 0, 0)
    data = part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\0\xff")) + part(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()


RICH = (
    """# %% one
import base64
import sys


class Table:
    def __init__(self, html=None, png=None):
        self.html, self.png = html, png

    def _repr_html_(self):
        return self.html

    def _repr_png_(self):
        return self.png

    def __repr__(self):
        return "<Table & more>"


print("\\x1b[31mred\\x1b[0m and <script>alert(1)</script>")
for step in range(3):
    sys.stderr.write(f"\\rstep {step}")
    sys.stderr.flush()
Table("<table><tr><td>1</td></tr></table>")""",
    f'# %% two\nTable(png=base64.b64decode("{png()}"))',
    "# %% three\nTable()",
)
FILES = """# %% one
import json
from pathlib import Path

Path("sub").mkdir()
Path("sub/numbers.json").write_text(json.dumps([1, 2]))
Path("note.txt").write_bytes(b"\\xff\\x00")"""
SLEEPS = """# %% one
import time

began = time.time()
time.sleep(3)
ended = time.time()"""


@pytest.fixture(scope="module")
def snippets(tmp_path_factory, snippet_in):
    folder = tmp_path_factory.mktemp("snippets")
    cells = {
        "figures": (FIGURES, LAST_FIGURE),
        "rich": RICH,
        "files": (FILES,),
        "sleeps": (SLEEPS,),
        "sleeps_too": (SLEEPS,),
    }
    needs = {"figures": ("matplotlib",)}
    return {
        name: snippet_in(folder, name, *texts, dependencies=needs.get(name, ()))
        for name, texts in cells.items()
    }


@pytest.fixture(scope="module")
def project_runner(tmp_path_factory, root):
    """A runner with the figure style of the project, but a cache of its own."""

    def make() -> Runner:
        folder = tmp_path_factory.mktemp("cache")
        return Runner(Cache(folder), runner_of_project(read_catalog(root)).style)

    return make


@pytest.fixture(scope="module")
def first(snippets, project_runner):
    """A runner that has run all of them, and its runs."""
    runner = project_runner()
    return runner, runner.run(snippets.values())


@pytest.fixture
def runs(first):
    return first[1]


def shown(run, name: str) -> list[str]:
    """What a cell showed: the stream's name, or the richest kind of data."""
    kinds = ("image/svg+xml", "image/png", "text/html", "text/plain")
    return [
        output.name
        if output.output_type == "stream"
        else next(kind for kind in kinds if kind in output.data)
        for output in executed_cell(run.notebook, name).outputs
    ]


def test_outputs_come_in_the_order_of_the_program(runs):
    cell = executed_cell(runs["figures"].notebook, "one")
    svg = "image/svg+xml"
    assert shown(runs["figures"], "one") == ["stdout", "stderr", svg, "stdout", svg, "stdout"]
    texts = [output.text for output in cell.outputs if output.output_type == "stream"]
    assert texts == ["before\n", "aside\n", "after 1\n", "after 2\n"]


def test_figures_are_vectors_whether_shown_or_left_open(runs):
    assert shown(runs["figures"], "two") == ["text/plain", "image/svg+xml"]


def test_a_picture_a_table_and_plain_text_are_kept(runs):
    assert shown(runs["rich"], "one") == ["stdout", "stderr", "text/html"]
    assert shown(runs["rich"], "two") == ["image/png"]
    assert shown(runs["rich"], "three") == ["text/plain"]
    (plain,) = executed_cell(runs["rich"].notebook, "three").outputs
    assert plain.data["text/plain"] == "<Table & more>"


def test_what_was_overwritten_on_a_line_is_gone(runs):
    _, stderr, _ = executed_cell(runs["rich"].notebook, "one").outputs
    assert stderr.text == "step 2"


def test_a_very_long_line_takes_no_time(make_snippet, run_of, make_runner):
    """A regular expression for carriage returns once took a minute for 200,000 characters."""
    snippet = make_snippet("thing", "# %% a\nx = 1")
    printed = {"output_type": "stream", "name": "stdout", "text": "x" * 900_000 + "\ry\r\nz\r"}
    runner = make_runner()
    runner.cache.store("thing", runner.key(snippet), run_of(snippet, {"a": [printed]}))
    start = time.monotonic()
    (output,) = executed_cell(runner.stored(snippet).notebook, "a").outputs
    assert time.monotonic() - start < 5
    assert output.text == "y\nz"


def test_a_second_run_gives_the_same_bytes(first, snippets, project_runner):
    other = project_runner()
    again = [snippets["figures"], snippets["rich"]]
    other.run(again)
    for snippet in again:
        entry = f"{snippet.name}/{other.key(snippet)}/notebook.ipynb"
        one, two = ((runner.cache.folder / entry).read_bytes() for runner in (first[0], other))
        assert one == two


def test_files_that_a_snippet_writes_are_kept(runs):
    files = runs["files"].files
    assert set(files) == {"sub/numbers.json", "note.txt"}
    assert json.loads(files["sub/numbers.json"].read_text()) == [1, 2]
    assert files["note.txt"].read_bytes() == b"\xff\x00"


def test_two_snippets_run_at_the_same_time(tmp_path, snippets):
    runs = Runner(Cache(tmp_path)).run([snippets["sleeps"], snippets["sleeps_too"]])
    times = [{name: value["value"] for name, value in run.values.items() if "value" in value}
             for run in runs.values()]  # fmt: skip
    overlap = min(time["ended"] for time in times) - max(time["began"] for time in times)
    assert overlap > 1, "two sleeps of 3 s did not lie side by side"


def test_a_run_says_what_it_took_and_what_it_held(runs, snippets):
    run = runs["sleeps"]
    assert 3 < run.seconds < 30
    assert run.versions == environment(snippets["sleeps"])
    assert (run.assertions, len(run.date)) == (0, len("2026-01-31"))


def test_a_stored_run_is_the_run_that_was_made(first, snippets):
    """A cold build and a warm build publish the same notebook."""
    runner, runs = first
    for name, snippet in snippets.items():
        stored = runner.stored(snippet)
        assert stored == runs[name]
        assert stored.notebook == runs[name].notebook
    assert runs["rich"].notebook.metadata.language_info.name == "python"


@pytest.fixture
def recorded(make_runner, run_of, monkeypatch):
    """A runner that stores runs without a kernel, and the names of what it ran."""
    names: list[str] = []

    def run_one(self: Runner, snippet):
        names.append(snippet.name)
        if "fail" in snippet.name:
            raise Faults([Fault(snippet.path, 1, "it fails")])
        seconds = float(len(snippet.name))
        printed = {"output_type": "stream", "name": "stdout", "text": "1\n"}
        outputs = {name: [printed] for name in snippet.code}
        run = replace(run_of(snippet, outputs), seconds=seconds)
        return self.cache.store(snippet.name, self.key(snippet), run)

    monkeypatch.setattr(Runner, "run_one", run_one)
    return make_runner(), names


def test_only_an_edited_snippet_runs_again(recorded, make_snippet):
    runner, names = recorded
    snippets = [make_snippet(name, "# %% a\nx = 1") for name in ("one", "two", "three")]
    runner.run(snippets)
    snippets[1] = make_snippet("two", "# %% a\nx = 2")
    names.clear()
    assert set(runner.run(snippets)) == {"one", "two", "three"}
    assert names == ["two"]


def test_prose_runs_nothing_and_is_current_in_the_notebook(recorded, make_snippet):
    runner, names = recorded
    runner.run([make_snippet("one", "# %% a\nprint(1)", title="Old")])
    names.clear()
    edited = make_snippet(
        "one", "# %% [markdown]\n# New prose.", '# %% a tags=["demo"] alt="New"\nprint(1)',
        title="New",
    )  # fmt: skip
    notebook = runner.run([edited])["one"].notebook
    assert names == []
    assert [cell.source for cell in notebook.cells] == [
        "# New\n\nA sentence.",
        "New prose.",
        "print(1)",
    ]
    assert notebook.cells[2].outputs[0].text == "1\n"


@pytest.mark.parametrize("part", ["python", "machine", "numpy"])
def test_another_environment_runs_again(recorded, make_snippet, monkeypatch, part):
    runner, names = recorded
    snippet = make_snippet("one", "# %% a\nimport numpy", dependencies=("numpy",))
    runner.run([snippet])
    versions = {**environment(snippet), part: "9.9"}
    monkeypatch.setattr(store, "environment", lambda _: versions)
    names.clear()
    runner.run([snippet])
    runner.run([snippet])
    assert names == ["one"]


def test_another_figure_style_runs_again(recorded, make_runner, make_snippet):
    runner, names = recorded
    snippet = make_snippet("one", "# %% a\nx = 1")
    runner.run([snippet])
    make_runner(style="font.size: 3\n").run([snippet])
    assert names == ["one", "one"]


def test_a_failed_run_is_not_stored_but_the_others_are(recorded, make_snippet):
    runner, names = recorded
    snippets = [make_snippet(n, "# %% a\nx = 1") for n in ("good", "fails", "fails_too", "fine")]
    with pytest.raises(Faults) as caught:
        runner.run(snippets)
    assert [fault.path.stem for fault in caught.value.faults] == ["fails", "fails_too"]
    names.clear()
    with pytest.raises(Faults):
        runner.run(snippets)
    assert sorted(names) == ["fails", "fails_too"]


def test_the_longest_runs_first(recorded, make_snippet):
    """A snippet that has never run comes before all others, the longest text first."""
    runner, names = recorded
    known = [make_snippet(name, "# %% a\nx = 1") for name in ("a" * 3, "b" * 9, "c" * 6)]
    runner.run(known)
    changed = [make_snippet(snippet.name, "# %% a\nx = 2") for snippet in known]
    new = [make_snippet("new", "# %% a\nx = 1"), make_snippet("newer", "# %% a\nx = 1  # long")]
    names.clear()
    runner.run([*changed, *new], workers=1)
    assert names == ["newer", "new", "b" * 9, "c" * 6, "a" * 3]


def test_a_cache_that_cannot_be_written_is_found_before_any_run(recorded, make_snippet, tmp_path):
    (tmp_path / "cache").write_text("a file in the place of the folder")
    runner, names = recorded
    with pytest.raises(Faults) as caught:
        runner.run([make_snippet("one", "# %% a\nx = 1")])
    assert "cannot write the cache: File exists; free some space" in str(caught.value)
    assert names == []


def test_a_damaged_entry_is_run_again(recorded, make_snippet):
    runner, names = recorded
    snippet = make_snippet("one", "# %% a\nx = 1")
    runner.run([snippet])
    (record,) = runner.cache.folder.glob("one/*/run.json")
    record.write_text(record.read_text()[:-30])
    names.clear()
    runner.run([snippet])
    runner.run([snippet])
    assert names == ["one"]


def test_an_interrupt_stops_what_runs_and_starts_nothing_more(recorded, make_snippet, monkeypatch):
    runner, names = recorded
    stopped = []

    class Process:
        def kill(self) -> None:
            stopped.append(self)

    def interrupt(*_: object, **__: object):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner_module, "wait", interrupt)
    runner._kernels += [Process(), Process()]
    with pytest.raises(KeyboardInterrupt):
        runner.run([make_snippet(f"s{n}", "# %% a\nx = 1") for n in range(40)], workers=1)
    assert len(stopped) == 2
    assert len(names) < 40


def test_a_signal_that_does_not_wake_the_main_thread_is_acted_on_soon(make_runner, make_snippet):
    """One that another thread gets does not: likewise one just before the main thread sleeps."""
    start, reached = time.monotonic(), []
    before = signal.signal(signal.SIGUSR1, lambda *_: reached.append(time.monotonic() - start))
    elsewhere = Timer(0.5, lambda: signal.pthread_kill(get_ident(), signal.SIGUSR1))
    try:
        elsewhere.start()
        make_runner().run([make_snippet("slow", "# %% a\nimport time\n\ntime.sleep(4)")])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert reached
    assert reached[0] < 3, "the signal waited for the end of a run"
