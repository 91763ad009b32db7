"""All snippets and resources, read together and checked against each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from readinglist.faults import Faults
from readinglist.sources.catalog import read_catalog


@pytest.fixture
def tree(tmp_path, text_of_snippet, text_of_resource):
    """Writes a small project; each resource has an order, a key and an address of its own."""

    def write(snippets: dict[str, str], resources: dict[str, dict]) -> Path:
        (tmp_path / "requirements.txt").write_text("numpy==2.4.6\n")
        for name, cell in snippets.items():
            path = tmp_path / "snippets" / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text_of_snippet(cell))
        for order, (name, fields) in enumerate(resources.items(), 1):
            path = tmp_path / "docs" / "resources" / f"{name}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            own = {"order": order, "citation_key": f"a1900{'x' * order}"}
            own["url"] = f"https://example.org/{order}"
            path.write_text(text_of_resource(**{**own, **fields}))
        return tmp_path

    return write


def faults(root: Path) -> list[str]:
    with pytest.raises(Faults) as caught:
        read_catalog(root)
    return [str(fault) for fault in caught.value.within(root).faults]


def test_snippets_by_name_and_resources_in_reading_order(tree):
    root = tree(
        {"b": "# %% x\n1", "a": "# %% x\n1"}, {"second": {"order": 2}, "first": {"order": 1}}
    )
    catalog = read_catalog(root)
    assert list(catalog.snippets) == ["a", "b"]
    assert [resource.slug for resource in catalog.resources] == ["first", "second"]


def test_everything_wrong_in_every_file_comes_together(tree):
    root = tree(
        {"a": "# %%\n1", "b": "# %% x\n1 +"}, {"one": {"year": "old"}, "two": {"why": "no"}}
    )
    assert [line.split(": ")[0] for line in faults(root)] == [
        "docs/resources/one.md:4",
        "docs/resources/two.md:16",
        "snippets/a.py:13",
        "snippets/b.py:14",
    ]


def test_a_snippet_may_not_import_its_sibling(tree):
    root = tree({"a": "# %% x\nimport b", "b": "# %% x\n1"}, {})
    assert faults(root) == [
        "snippets/a.py:14: imports the snippet 'b'; a snippet stands alone, "
        "so copy in the few lines it needs"
    ]


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("order", 7, 10),
        ("citation_key", "ada1843notes", 9),
        ("url", "https://example.org/same", 7),
    ],
)
def test_a_repeated_field(tree, field, value, line):
    root = tree({}, {"one": {field: value}, "two": {field: value}})
    assert faults(root) == [
        f"docs/resources/two.md:{line}: repeats the {field} '{value}' of docs/resources/one.md; "
        "each needs its own"
    ]


def test_a_repeated_slug(tree):
    assert faults(tree({}, {"b": {}, "a/b": {}})) == [
        "docs/resources/a/b.md:1: a resource's page stands in docs/resources/ itself; "
        "move it there",
        "docs/resources/a/b.md:1: repeats the slug 'b' of docs/resources/b.md; each needs its own",
    ]


def test_a_resource_in_a_folder_of_its_own(tree):
    assert faults(tree({}, {"sub/b": {}})) == [
        "docs/resources/sub/b.md:1: a resource's page stands in docs/resources/ itself; "
        "move it there"
    ]
