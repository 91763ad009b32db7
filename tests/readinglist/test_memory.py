"""What is remembered between two builds, and what makes it be made again."""

import inspect
import json
from pathlib import Path

import pytest
from jinja2 import FileSystemBytecodeCache

from readinglist import memory
from readinglist.memory import Memory, remembered
from readinglist.pages import cells, formulas, links
from readinglist.site import build


@pytest.fixture
def fresh(monkeypatch):
    """A memory of its own in the place of the one that all share."""
    monkeypatch.setattr(memory, "MEMORY", Memory())
    monkeypatch.delenv("RECURRENT_CACHE", raising=False)
    return memory.MEMORY


def test_what_was_used_is_there_for_the_next_process_and_the_rest_is_not(tmp_path):
    first, made = Memory(), []
    for texts in (["a", "b"], ["a"]):
        first.open(tmp_path)
        for text in texts:
            assert first.recall([text], lambda text=text: made.append(text) or text.upper())
        first.save()
    assert made == ["a", "b"]
    second = Memory()
    second.open(tmp_path)
    assert second.recall(["a"], lambda: pytest.fail("made again")) == "A"
    assert second.recall(["b"], lambda: "made anew") == "made anew"


@pytest.mark.parametrize("damaged", ["", "{", "[1]", "\0"])
def test_a_file_that_cannot_be_read_is_made_again(tmp_path, damaged):
    (tmp_path / ".cache/kept").mkdir(parents=True)
    (tmp_path / ".cache/kept/memory.json").write_text(damaged)
    again = Memory()
    again.open(tmp_path)
    assert again.recall(["a"], lambda: "A") == "A"
    again.save()
    assert list(json.loads((tmp_path / ".cache/kept/memory.json").read_text()).values()) == ["A"]


def test_an_error_is_not_remembered():
    with pytest.raises(ValueError, match="no"):
        Memory().recall(["a"], lambda: (_ for _ in ()).throw(ValueError("no")))


@pytest.mark.parametrize("part", ["package", "python", "our own code"])
def test_another_package_python_or_code_makes_it_again(fresh, monkeypatch, part):
    made = []

    def function():
        @remembered("pygments")
        def shout(text: str) -> str:
            made.append(text)
            return text.upper()

        return shout

    assert function()("a") == function()("a") == "A"
    assert made == ["a"]
    if part == "package":
        monkeypatch.setattr(memory, "version", lambda name: f"another {name}")
    elif part == "python":
        monkeypatch.setattr(memory.platform, "python_version", lambda: "9")
    else:
        monkeypatch.setattr(memory, "_own_code", lambda: "another")
    assert function()("a") == "A"
    assert made == ["a", "a"]


def made_with(function) -> set[str]:
    """The packages whose versions are in the key of a function's results."""
    made_by = inspect.getclosurevars(function).nonlocals["made_by"]
    return {line.split()[0] for line in made_by()[3:]}


def test_each_renderer_is_in_the_key_of_what_it_makes():
    assert made_with(cells._code_block) == {"pygments"}
    assert made_with(links._parsed) == {"markdown", "pymdown-extensions"}
    assert made_with(formulas.to_mathml) == {"latex2mathml"}
    assert made_with(formulas._subset) == {"fonttools", "brotli"}


@pytest.mark.parametrize("package", ["mkdocs-jupyter", "nbconvert", "mistune"])
def test_another_renderer_of_prose_renders_a_notebook_again(
    fresh, project_of, monkeypatch, tmp_path, package
):
    monkeypatch.setattr(build, "MEMORY", fresh)
    made = build.Build(project_of(), FileSystemBytecodeCache(str(tmp_path)))
    Path(made.generated.name, "a.ipynb").write_text("{}")
    rendered = []

    def html() -> str:
        return made.notebook_html("a.ipynb", lambda: rendered.append(1) or f"<p>{len(rendered)}")

    assert html() == html() == "<p>1"
    version = build.installed_version
    changed = {package: "another"}
    monkeypatch.setattr(build, "installed_version", lambda name: changed.get(name, version(name)))
    assert html() == html() == "<p>2"
