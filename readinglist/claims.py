"""A claim across snippets, `one.value < other.value`, which no snippet can assert alone."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from html import escape

from readinglist.cache import Run
from readinglist.pending import Unknown
from readinglist.values import formatted, look_up, value_html

CLAIM = re.compile(r"^(?P<left>\S+) +(?P<sign>\S+) +(?P<right>\S+)$")
SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
SIGNS |= {"==": operator.eq, "!=": operator.ne}


def check_claims(lines: Iterable[str], runs: Mapping[str, Run]) -> tuple[str, list[str]]:
    """The claims as HTML, and the snippets that they speak of.

    Raises:
        ValueError: a claim cannot be read, names what is not there, or does not hold.
    """
    shown, used = [], []
    for line in lines:
        claim = CLAIM.match(line)
        if not claim or claim["sign"] not in SIGNS:
            what = "a claim is two values with a sign between them, as in 'one.loss < other.loss'"
            raise ValueError(f"{what}; found '{line}'; signs: {' '.join(SIGNS)}")
        (left, right) = (look_up(claim[side], runs) for side in ("left", "right"))
        found = f"{claim['left']} is {left.value!r} and {claim['right']} is {right.value!r}"
        known = not any(isinstance(side.value, Unknown) for side in (left, right))
        if known and isinstance(left.value, str) != isinstance(right.value, str):
            raise ValueError(f"the claim '{line}' compares a text with a number: {found}")
        if known and not SIGNS[claim["sign"]](left.value, right.value):
            message = f"the claim '{line}' does not hold: {found}"
            raise ValueError(f"{message}; say what is true, or find out why")
        sides = [
            f"<code>{side.snippet}.{side.name}</code> {value_html(formatted(side), side)}"
            for side in (left, right)
        ]
        shown.append(f" {escape(claim['sign'])} ".join(sides))
        used += [left.snippet, right.snippet]
    if not shown:
        raise ValueError("a claim block holds claims, a line each; found none")
    return f'<p class="claim">Checked in this build: {"; ".join(shown)}</p>', used
