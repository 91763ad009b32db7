"""The order of reading: what comes after what, checked, and drawn as a graph."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from html import escape

from readinglist.sources.reading_order import Step, steps
from readinglist.sources.resource import Resource

ROW = 64  # pixels from one step to the next; a title has two lines


RADIUS = 11


BEND = 13  # pixels to the left, for each row that an arc spans


WIDTH = 340  # fits the narrowest phone


LINE = 33  # letters


def draw_path(resources: Iterable[Resource], url_of: Callable[[Resource], str]) -> str:
    """The path as an SVG: a circle a step from top to bottom, and an arc for each 'after'.

    Every step is a link, in reading order, so that it works with a keyboard and a screen reader.
    """
    path = steps(resources)
    place = {step.resource.slug: index for index, step in enumerate(path)}
    spans = [place[s.resource.slug] - place[a.slug] for s in path for a in s.after]
    left = RADIUS + 4 + BEND * max(spans, default=0)
    arcs = "".join(_arc(left, place[a.slug], place[s.resource.slug]) for s in path for a in s.after)
    links = "".join(_link(step, left, url_of(step.resource)) for step in path)
    height = ROW * len(path)
    told = "; ".join(_told(step) for step in path)
    return (
        f'<svg class="path-graph" viewBox="0 0 {WIDTH} {height}" role="group" '
        f'aria-label="The reading path: {escape(told, quote=True)}">'
        '<defs><marker id="path-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>'
        f"{arcs}{links}</svg>"
    )


def _told(step: Step) -> str:
    before = ", ".join(other.title for other in step.after)
    return f"{step.resource.title}, after {before}" if before else step.resource.title


def _middle(index: int) -> int:
    return ROW * index + ROW // 2


def _arc(left: int, start: int, end: int) -> str:
    """From the left of one circle to the left of a later one, the wider the farther."""
    x, bend = left - RADIUS, BEND * (end - start) * 4 // 3
    top, bottom = _middle(start) + 4, _middle(end) - 4
    return (
        f'<path class="arc" d="M{x} {top}C{x - bend} {top} {x - bend} {bottom} {x} {bottom}" '
        'marker-end="url(#path-arrow)"/>'
    )


def _link(step: Step, left: int, url: str) -> str:
    y, x = _middle(step.number - 1), left + RADIUS + 10
    lines = textwrap.wrap(step.resource.title, LINE, max_lines=2, placeholder=" …")
    first = y - 4 - 8 * (len(lines) - 1)
    rows = [f'<tspan x="{x}" y="{first + 16 * i}">{escape(t)}</tspan>' for i, t in enumerate(lines)]
    last = first + 16 * len(lines)
    rows.append(
        f'<tspan class="minutes" x="{x}" y="{last}">{step.resource.minutes} minutes</tspan>'
    )
    return (
        f'<a href="{escape(url, quote=True)}" data-step="{step.resource.slug}">'
        f'<rect x="{left - RADIUS - 3}" y="{y - ROW // 2 + 2}" width="{WIDTH - left + RADIUS}" '
        f'height="{ROW - 4}"/><circle cx="{left}" cy="{y}" r="{RADIUS}"/>'
        f'<text class="number" x="{left}" y="{y + 4}">{step.number}</text>'
        f"<text>{' '.join(rows)}</text></a>"
    )
