"""Stored runs: what their key holds, and what damage, a full disk and a second build do to them."""

from __future__ import annotations

import json
import os
import resource
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from readinglist.faults import Faults
from readinglist.running import store
from readinglist.running.store import NEWEST, Cache, environment, key

REMEDY = "free some space, or name another folder in the variable RECURRENT_CACHE"


@pytest.fixture
def cache(tmp_path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def run(make_snippet, run_of, tmp_path):
    """A run with an output, a value and two files."""
    snippet = make_snippet("thing", "# %% a\nprint(1)")
    (tmp_path / "weights.json").write_text("{}")
    files = {name: tmp_path / "weights.json" for name in ("weights.json", "deep/er.json")}
    printed = {"output_type": "stream", "name": "stdout", "text": "1\n"}
    return run_of(snippet, {"a": [printed]}, {"x": 0.5, "name": "σ"}, files=files)


@pytest.fixture
def entry(cache, run) -> Path:
    """The folder of the stored run."""
    cache.store("thing", "k", run)
    return cache.folder / "thing" / "k"


def litter(folder: Path) -> list[Path]:
    return list(folder.rglob(".partial-*"))


def test_a_run_comes_back_as_it_was_stored(cache, run):
    stored = cache.store("thing", "k", run)
    for found in (stored, cache.load("thing", "k")):
        assert (found.seconds, found.date, found.values) == (1.5, "2026-01-31", run.values)
        assert found.notebook == run.notebook
        assert {name: path.read_text() for name, path in found.files.items()} == {
            "weights.json": "{}",
            "deep/er.json": "{}",
        }
    assert not litter(cache.folder)


def test_nothing_is_stored_under_another_name_or_key(cache, entry):
    assert cache.load("thing", "other") is None
    assert cache.load("other", "k") is None


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("run.json", _cut),
        ("run.json", Path.unlink),
        ("run.json", lambda path: path.write_text("[]")),
        ("run.json", lambda path: path.write_text("null")),
        ("run.json", lambda path: path.write_text('{"seconds": 1}')),
        ("run.json", lambda path: path.write_bytes(b"\xff\xfe")),
        ("notebook.ipynb", _cut),
        ("notebook.ipynb", Path.unlink),
    ],
)
def test_an_entry_that_cannot_be_read_is_replaced(cache, run, entry, name, damage):
    assert cache.load("thing", "k") is not None
    damage(entry / name)
    assert cache.load("thing", "k") is None
    assert cache.seconds("thing") in (1.5, 1, None)
    cache.store("thing", "k", run)
    assert cache.load("thing", "k").notebook == run.notebook
    assert cache.seconds("thing") == 1.5


def test_an_entry_that_cannot_be_replaced_is_a_fault(cache, run, monkeypatch):
    monkeypatch.setattr(Cache, "load", lambda *_: None)
    with pytest.raises(Faults) as caught:
        cache.store("thing", "k", run)
    assert str(caught.value) == (
        f"{cache.folder}: the entry of 'thing' cannot be read back; {REMEDY}"
    )


def test_the_time_is_that_of_the_newest_run(cache, run):
    assert cache.seconds("thing") is None
    for name, seconds, age in (("new", 3.0, 0), ("old", 9.0, 100)):
        entry = cache.folder / "thing" / name
        entry.mkdir(parents=True)
        (entry / "run.json").write_text(json.dumps({"seconds": seconds}))
        when = os.stat(entry).st_mtime - age
        os.utime(entry / "run.json", (when, when))
    assert cache.seconds("thing") == 3.0


def test_an_entry_that_vanishes_meanwhile_has_no_time(cache, entry, monkeypatch):
    """A second build may replace a damaged entry between two steps of this one."""
    listed = Path.glob

    def glob_then_vanish(folder, pattern):
        paths = list(listed(folder, pattern))
        shutil.rmtree(entry)
        return paths

    monkeypatch.setattr(Path, "glob", glob_then_vanish)
    assert cache.seconds("thing") is None


def test_two_builds_may_store_the_same_run_at_once(cache, run):
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: cache.store("thing", "k", run), range(24)))
    assert all(one.notebook == run.notebook for one in stored)
    assert [path.name for path in cache.folder.iterdir()] == ["thing"]
    assert [path.name for path in (cache.folder / "thing").iterdir()] == ["k"]


def test_a_failed_write_leaves_nothing(cache, run, monkeypatch):
    monkeypatch.setattr(nbformat, "write", _no_space)
    with pytest.raises(Faults) as caught:
        cache.store("thing", "k", run)
    message = f"{cache.folder}: cannot write the cache: No space left on device; {REMEDY}"
    assert str(caught.value) == message
    assert not litter(cache.folder)
    assert cache.load("thing", "k") is None


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_an_interrupt_during_a_write_leaves_nothing(cache, run, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.store("thing", "k", run)
    monkeypatch.undo()
    assert not litter(cache.folder)
    assert cache.store("thing", "k", run).notebook == run.notebook


@pytest.mark.parametrize(("below", "why"), [("a-file", "Not a directory"), ("/proc", "No such")])
def test_a_folder_that_cannot_be_written_is_found_before_any_run(tmp_path, below, why):
    (tmp_path / "a-file").write_text("")
    folder = tmp_path / below / "cache"
    with pytest.raises(Faults) as caught:
        Cache(folder).check()
    assert str(caught.value).startswith(f"{folder}: cannot write the cache: {why}")
    assert str(caught.value).endswith(REMEDY)


def test_a_full_disk_is_found_before_any_run(cache):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
        with pytest.raises(Faults) as caught:
            cache.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    message = f"{cache.folder}: cannot write the cache: File too large; {REMEDY}"
    assert str(caught.value) == message


def test_the_check_leaves_nothing(cache):
    cache.check()
    assert list(cache.folder.iterdir()) == []


def test_prose_alternative_text_and_tags_are_not_in_the_key(make_snippet):
    before = key(make_snippet("thing", "# %% a\nx = 1", title="One"), "runner")
    changed = make_snippet(
        "thing", '# %% a tags=["demo"] alt="more"\nx = 1', "# %% [markdown]\n# More.", title="Two"
    )
    assert key(changed, "runner") == before


def test_code_names_of_cells_and_the_runner_are_in_the_key(make_snippet):
    cells = ["# %% a\nx = 1", "# %% b\nx = 1", "# %% a\nx = 2", "# %% a\nx = 1  # why"]
    keys = {key(make_snippet("thing", cell), "runner") for cell in cells}
    keys.add(key(make_snippet("thing", cells[0]), "another runner"))
    assert len(keys) == 5


@pytest.mark.parametrize("part", ["python", "machine", "numpy"])
def test_the_environment_is_in_the_key(make_snippet, monkeypatch, part):
    snippet = make_snippet("thing", "# %% a\nimport numpy", dependencies=("numpy",))
    before = key(snippet, "runner")
    versions = {**environment(snippet), part: "another"}
    monkeypatch.setattr(store, "environment", lambda _: versions)
    assert key(snippet, "runner") != before


def test_the_environment_names_what_the_snippet_imports(make_snippet):
    import numpy

    snippet = make_snippet("thing", "# %% a\nimport numpy", dependencies=("numpy",))
    assert environment(snippet)["numpy"] == numpy.__version__
    assert set(environment(snippet)) == {"python", "machine", "numpy"}


def test_the_newest_runs_of_a_snippet_are_kept(cache, run):
    for number in range(NEWEST + 2):
        cache.store("thing", str(number), run)
        when = 1_000_000 + number
        os.utime(cache.folder / "thing" / str(number) / "run.json", (when, when))
    cache.store("other", "k", run)
    assert sorted(path.name for path in (cache.folder / "thing").iterdir()) == ["2", "3", "4"]
    assert cache.load("thing", "4").values == run.values
    assert cache.load("other", "k")


@pytest.mark.parametrize("package", store.DISPLAY)
def test_what_displays_an_output_is_in_the_key(make_snippet, monkeypatch, package):
    snippet = make_snippet("thing", "# %% a\nx = 1")
    before = key(snippet, "style")
    monkeypatch.setattr(store, "installed_version", lambda name: "9" if name == package else "1")
    others = key(snippet, "style")
    monkeypatch.setattr(store, "installed_version", lambda name: "1")
    assert len({before, others, key(snippet, "style")}) == 3


def test_the_number_of_the_runner_is_in_the_key_and_its_text_is_not(make_snippet, monkeypatch):
    """A comment in the runner runs nothing again; whoever changes what it does raises a number."""
    snippet = make_snippet("thing", "# %% a\nx = 1")
    before = key(snippet, "style")
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("a file is in the key"))
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("a file is in the key"))
    assert key(snippet, "style") == before
    monkeypatch.setattr(store, "RUNNER", store.RUNNER + 1)
    assert key(snippet, "style") != before
