"""A hundred resources: a page has one line more for each, and a build takes as long for each page.

That is the largest list to plan for. `make test-slow` runs these, alone, as limits of seconds need.
"""

from __future__ import annotations

import shutil

import pytest
from builders import resource_text, snippet_text

pytestmark = [pytest.mark.slow, pytest.mark.timing]

COUNTS = (4, 50, 100)
ENTRY = 300  # bytes of a page's HTML for each resource: its line in the navigation
SLOWER = 1.3  # times the seconds a page at 50 resources
BODY = "## A heading\n\nIt is [[one.x]].\n\n``` cell\none#a\n```\n\n" + "Some words to read. " * 100


@pytest.fixture(scope="module")
def grown(project, build, tmp_path_factory):
    """For each count of resources: seconds of a warm build, pages, and bytes of one page."""
    found = {}
    for count in COUNTS:
        folder = tmp_path_factory.mktemp(f"of-{count}")
        copy = shutil.copytree(project, folder / "project")
        shutil.rmtree(copy / "snippets")
        shutil.rmtree(copy / "docs" / "resources")
        (copy / "docs" / "resources").mkdir()
        settings = (copy / "mkdocs.yml").read_text()
        for name in ("notation", "glossary", "then-and-now"):  # they link to the others
            (copy / "docs" / f"{name}.md").unlink()
            settings = settings.replace(f"      - {name}.md\n", "")
        (copy / "mkdocs.yml").write_text(settings)
        (copy / "docs" / "whats-new.md").write_text("# News\n\n## 1 May 2026\n\n- A page.\n")
        (copy / "docs" / "index.md").write_text("# The list\n\n```resources\n```\n")
        (copy / "snippets").mkdir()
        (copy / "snippets" / "one.py").write_text(snippet_text("# %% a\nx = 1"))
        for number in range(1, count + 1):
            letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")
            text = resource_text(
                BODY, title=f"Number {number:03}", order=number, citation_key=f"a1900{letters}",
                url=f"https://example.org/{number}",
            )  # fmt: skip
            (copy / "docs" / "resources" / f"number-{number:03}.md").write_text(text)
        cache = str(folder / "cache")
        cold, *warm = (build(copy, folder / "site", RECURRENT_CACHE=cache) for _ in range(3))
        assert cold.status == 0, cold.output
        pages = len(list((folder / "site").rglob("*.html")))
        page = folder / "site" / "resources" / "number-002.html"
        found[count] = min(b.seconds for b in warm), pages, page.stat().st_size
    return found


def test_a_page_grows_by_one_line_of_navigation_a_resource(grown, measured):
    sizes = {count: size for count, (_, _, size) in grown.items()}
    measured(f"bytes of a page's HTML, by the number of resources: {sizes}")
    assert sizes[100] - sizes[4] < ENTRY * (100 - 4)


def test_a_page_takes_as_long_however_many_there_are(grown, measured):
    each = {count: seconds / pages for count, (seconds, pages, _) in grown.items()}
    shown = ", ".join(f"{count}: {1000 * seconds:.1f}" for count, seconds in each.items())
    measured(f"ms a page in a warm build, by the number of resources: {shown}")
    assert each[100] <= SLOWER * each[50]
