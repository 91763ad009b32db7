"""Runs in the background of a served site: what is shown meanwhile, and what a save ends."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from readinglist.running.background import RUNNING, Background
from readinglist.running.outputs import cell_outputs
from readinglist.running.runner import Runner
from readinglist.running.store import Cache
from readinglist.sources.catalog import read_catalog

SLOW = '# %% a tags=["demo"]\nimport time\n\ntime.sleep(60)'
QUICK = '# %% a tags=["demo"]\nprint("done", {n})'


@pytest.fixture
def project(tmp_path, text_of_snippet):
    (tmp_path / "project" / "snippets").mkdir(parents=True)

    def write(**cells: str) -> Path:
        for name, cell in cells.items():
            path = tmp_path / "project" / "snippets" / f"{name}.py"
            path.write_text(text_of_snippet(cell))
        return tmp_path / "project"

    return write


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A background with a cache of its own, a look at a project's runs, and the announcements."""
    announced = threading.Event()
    background = Background(pause=0.05)
    background.folder = tmp_path
    monkeypatch.setattr(background, "announce", announced.set)

    def look(root: Path):
        return background.runs(read_catalog(root), lambda: Runner(Cache(tmp_path / "cache")))

    yield background, look, announced
    background.stop()


def says(run) -> str:
    return "".join(content for _, content in cell_outputs(run.notebook, "a"))


def wait_for(announced: threading.Event) -> None:
    assert announced.wait(20), "nothing was announced"
    announced.clear()


def test_what_is_stored_is_shown_at_once_and_the_rest_when_it_has_ended(project, served):
    _, look, announced = served
    root = project(quick=QUICK.format(n=1))
    assert says(look(root)["quick"]) == RUNNING
    wait_for(announced)
    root = project(slow=SLOW)
    start = time.monotonic()
    runs = look(root)
    assert time.monotonic() - start < 2
    assert says(runs["quick"]) == "done 1"
    assert runs["slow"].pending


def test_a_run_is_read_again_only_if_the_snippet_or_the_cache_changed(project, served, tmp_path):
    _, look, announced = served
    root = project(one=QUICK.format(n=1))
    look(root)
    wait_for(announced)
    run = look(root)["one"]
    assert look(root)["one"] is run
    program = root / "snippets" / "one.py"
    program.write_text(f"{program.read_text()}\n\n# %% [markdown]\n# And so it ends.\n")
    again = look(root)["one"]
    assert again.notebook.cells[-1].source == "And so it ends."
    assert says(again) == "done 1"
    shutil.rmtree(tmp_path / "cache")
    assert says(look(root)["one"]) == RUNNING


def test_a_save_runs_that_snippet_alone_and_ends_its_old_run(project, served, monkeypatch):
    ran = []
    run_one = Runner.run_one
    monkeypatch.setattr(Runner, "run_one", lambda self, s: ran.append(s.name) or run_one(self, s))
    _, look, announced = served
    root = project(quick=QUICK.format(n=1), edited=SLOW)
    look(root)
    wait_for(announced)
    look(root)
    project(edited=QUICK.format(n=2))
    look(root)
    wait_for(announced)
    runs = look(root)
    assert [says(runs[name]) for name in ("quick", "edited")] == ["done 1", "done 2"]
    assert sorted(ran) == ["edited", "edited", "quick"]


def test_a_failure_is_shown_where_the_result_would_be_and_not_tried_again(project, served):
    _, look, announced = served
    root = project(bad='# %% a tags=["demo"]\n1 / 0')
    look(root)
    wait_for(announced)
    for _ in range(2):
        told = says(look(root)["bad"])
        assert told.startswith("snippets/bad.py:14: cell 'a' raised ZeroDivisionError")
    assert not announced.wait(1), "it was run again"
    project(bad=QUICK.format(n=3))
    look(root)
    wait_for(announced)
    assert says(look(root)["bad"]) == "done 3"


def test_a_figure_without_a_text_is_told_of(project, served):
    picture = '''class P:
    def _repr_svg_(self):
        return "<svg xmlns='http://www.w3.org/2000/svg'/>"'''
    _, look, announced = served
    root = project(blind=f'# %% a tags=["demo"]\n{picture}\n\n\nP()')
    look(root)
    wait_for(announced)
    assert says(look(root)["blind"]).startswith(
        "snippets/blind.py:13: cell 'a' shows an image without alternative text"
    )


def test_the_run_of_a_snippet_that_is_gone_is_ended(project, served):
    background, look, _ = served
    root = project(slow=SLOW)
    look(root)
    time.sleep(1)
    (root / "snippets" / "slow.py").unlink()
    assert look(root) == {}
    start = time.monotonic()
    background.stop()
    assert time.monotonic() - start < 10


def test_stopping_ends_what_runs(project, served):
    background, look, announced = served
    look(project(slow=SLOW))
    time.sleep(1)
    start = time.monotonic()
    background.stop()
    assert time.monotonic() - start < 10
    assert not announced.is_set()
