"""What stands in the sidebar of a large site."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from readinglist.site.neighbours import LONGEST, neighbourhood


def nav_of(count: int):
    section = SimpleNamespace(title="Pages", children=[f"page {n}" for n in range(count)])
    return SimpleNamespace(items=[SimpleNamespace(title="Home", children=None), section])


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("page 0", [0, 1, 2, 3, 4]),
        ("page 3", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("page 70", [0, 66, 67, 68, 69, 70, 71, 72, 73, 74]),
        ("page 99", [0, 95, 96, 97, 98, 99]),
    ],
)
def test_a_long_section_is_cut_to_what_stands_around_the_page(page, shown):
    nav = nav_of(100)
    section = neighbourhood(nav, page).items[1]
    assert section.children == [f"page {n}" for n in shown]
    assert section.title == "Pages"
    assert len(nav.items[1].children) == 100, "other pages need the whole"


def test_a_short_section_and_that_of_another_page_stay_whole():
    assert len(neighbourhood(nav_of(LONGEST), "page 3").items[1].children) == LONGEST
    assert len(neighbourhood(nav_of(100), "index").items[1].children) == 100
