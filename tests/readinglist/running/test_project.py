"""From a folder to everything its pages can show, with every fault of the runs at once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from readinglist.faults import Fault, Faults
from readinglist.running.project import forget, make_runner, open_project
from readinglist.running.runner import Runner
from readinglist.settings import cache_folder
from readinglist.sources.catalog import Catalog, read_catalog

PICTURE = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "AAAA"}}


@pytest.fixture
def project(tmp_path, root, text_of_snippet, text_of_resource, run_of, monkeypatch) -> Path:
    """A project whose snippets run without a kernel: `draws` shows an image, `fails` fails."""
    for name in ("theme/matplotlibrc", "docs/assets/css/palette.css", "requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, tmp_path / name)
    for name in ("fine", "draws", "fails"):
        (tmp_path / "snippets").mkdir(exist_ok=True)
        (tmp_path / "snippets" / f"{name}.py").write_text(text_of_snippet("# %% a\nx = 1"))
    (tmp_path / "docs" / "resources").mkdir()
    (tmp_path / "docs" / "resources" / "one.md").write_text(text_of_resource())

    def run_one(self: Runner, snippet):
        if snippet.name == "fails":
            raise Faults([Fault(snippet.path, 14, "it fails")])
        outputs = {"a": [PICTURE]} if snippet.name == "draws" else {}
        run = replace(run_of(snippet, outputs), versions={"python": "3"})
        return self.cache.store(snippet.name, self.key(snippet), run)

    monkeypatch.setattr(Runner, "run_one", run_one)
    monkeypatch.delenv("RECURRENT_CACHE", raising=False)
    return tmp_path


def test_a_project_has_a_run_of_every_snippet(project):
    for name in ("draws", "fails"):
        (project / "snippets" / f"{name}.py").unlink()
    opened = open_project(project)
    assert list(opened.runs) == list(opened.snippets) == ["fine"]
    assert [resource.slug for resource in opened.resources] == ["one"]
    assert opened.palette["forget"].startswith("#")
    assert opened.fresh == {"fine"}
    assert open_project(project).fresh == set()


def test_failing_runs_and_images_without_text_come_together(project):
    with pytest.raises(Faults) as caught:
        open_project(project)
    assert str(caught.value.within(project)) == (
        "snippets/draws.py:13: cell 'a' shows an image without alternative text; "
        'end its marker with alt="what the image shows"\n'
        "snippets/fails.py:14: it fails"
    )


def test_the_cache_is_in_the_project_unless_named(project, monkeypatch, tmp_path):
    assert cache_folder(project) == project / ".cache"
    monkeypatch.setenv("RECURRENT_CACHE", str(tmp_path / "elsewhere"))
    assert cache_folder(project) == tmp_path / "elsewhere"
    assert make_runner(Catalog(project)).cache.folder == tmp_path / "elsewhere" / "runs"


def test_figures_are_drawn_in_the_style_of_the_theme(project):
    style = make_runner(read_catalog(project)).style
    assert style.startswith((project / "theme/matplotlibrc").read_text())
    assert "axes.prop_cycle" in style


def test_forgetting_takes_nothing_else_from_the_folder(project, monkeypatch):
    """RECURRENT_CACHE may name a folder that others use as well, such as ~/.cache."""
    folder = project / "shared"
    monkeypatch.setenv("RECURRENT_CACHE", str(folder))
    for name in ("runs/a/b/run.json", "kept/memory.json", "templates/t", "pip/wheel", "notes"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    forget(project)
    assert sorted(path.name for path in folder.iterdir()) == ["notes", "pip"]
