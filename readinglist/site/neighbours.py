"""The navigation of a large site: what stands around a page, in the place of hundreds of pages."""

from __future__ import annotations

import copy
from typing import Any

# Entries of a section. Every page of a section lists them all, so they make it grow.
LONGEST = 40


AROUND = 4  # entries before the page and after it


def neighbourhood(nav: Any, page: Any) -> Any:
    """`nav` as it is shown on `page`: of a long section, its first entry and the page's neighbours.

    The list and the gallery lead to all pages.
    """
    shown = copy.copy(nav)
    shown.items = [_shortened(item, page) for item in nav.items]
    return shown


def _shortened(item: Any, page: Any) -> Any:
    children = getattr(item, "children", None) or []
    if len(children) <= LONGEST or page not in children:
        return item
    place = children.index(page)
    shown = copy.copy(item)
    shown.children = [
        child for index, child in enumerate(children) if index == 0 or abs(index - place) <= AROUND
    ]
    return shown
