"""Numbers in prose: `[[snippet.name:format]]` becomes what that variable held in the run."""

import operator
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

from readinglist.faults import look_up
from readinglist.running.pending import Unknown
from readinglist.running.store import Run

VALUE = re.compile(r"\[\[(?P<inside>[^\[\]]*)\]\]")
REFERENCE = re.compile(r"^(?P<snippet>\w+)\.(?P<name>\w+)(?::(?P<format>.+))?$")
# Neither reaches past the end of its paragraph.
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
FORMULA = re.compile(
    r"\$\$(?:(?!\n[ \t]*\n).)+?\$\$"
    r"|(?<![\\$])\$(?![\s$])(?:\\.|[^\\$\n]|\n(?![ \t]*\n))+?(?<!\s)\$",
    re.DOTALL,
)
EXPONENT = re.compile(r"e(?:\+|(-))0*(\d+)$")
# What Markdown would read as markup, or a line's end as the end of a paragraph.
MARKUP = re.compile(r"[^\w ,]|_")
Problems = list[tuple[int, str]]  # line in the text, message


class Value(NamedTuple):
    """One variable of a run, and its text in the format that the page wants."""

    snippet: str
    name: str
    value: Any
    text: str


def fill_values(text: str, runs: Mapping[str, Run]) -> tuple[str, list[str], Problems]:
    """Some paragraphs with their values in place, but for what stands in code spans; the snippets
    that the values came from; and what was wrong."""
    used: list[str] = []
    problems: Problems = []
    # Code is blanked out of what is searched, at the same length, so that positions hold.
    searched = CODE_SPAN.sub(lambda span: re.sub(r"[^\n]", " ", span[0]), text)
    formulas = [match.span() for match in FORMULA.finditer(searched)]

    def fill(match: re.Match[str]) -> str:
        if searched[match.start()] == " ":
            return match[0]
        try:
            value = _value_of(match["inside"], runs)
        except ValueError as error:
            problems.append((text.count("\n", 0, match.start()), str(error)))
            return ""
        used.append(value.snippet)
        in_formula = any(start < match.start() < end for start, end in formulas)
        return _latex(value.text) if in_formula else _html(value)

    return VALUE.sub(fill, text), used, problems


def _value_of(inside: str, runs: Mapping[str, Run]) -> Value:
    """What `snippet.name:format` speaks of; a ValueError says why it speaks of nothing."""
    if not (reference := REFERENCE.match(inside)):
        raise ValueError(f"'[[{inside}]]' is not a value; write [[snippet.name:format]]")
    snippet, name = reference["snippet"], reference["name"]
    values = look_up(runs, snippet, f"there is no snippet '{snippet}'").values
    if refused := values.get(name, {}).get("refused"):
        raise ValueError(
            f"the value {snippet}.{name} is {refused}; a page shows finite numbers and short texts"
        )
    known = {key: value["value"] for key, value in values.items() if "value" in value}
    value = look_up(known, name, f"snippet '{snippet}' has no value '{name}'")
    spec = reference["format"] or ""
    try:
        return Value(snippet, name, value, format(value, spec))
    except (ValueError, OverflowError) as error:
        message = f"'[[{inside}]]': {value!r} cannot be shown as '{spec}': {error}"
        raise ValueError(f"{message}; a format is like .1e, .2f, .0% or ,") from None


def _latex(text: str) -> str:
    escaped = re.sub(r"([%_#&$])", r"\\\1", text).replace(",", r"\text{,}")
    return EXPONENT.sub(r"\\times 10^{\1\2}", escaped)


def _html(value: Value) -> str:
    """The value as it stands in a sentence, with its origin as a title."""
    if isinstance(value.value, str):
        text = MARKUP.sub(lambda match: f"&#{ord(match[0])};", value.text)
    else:
        text = EXPONENT.sub(r" × 10<sup>\1\2</sup>", value.text)
        text = text.replace("-", "\N{MINUS SIGN}").replace("_", "&#95;")
    title = f"computed by {value.snippet}.py: {escape(value.name)}"
    return f'<span class="value" title="{title}">{text}</span>'


CLAIM = re.compile(r"^(?P<left>\S+) +(?P<sign>\S+) +(?P<right>\S+)$")
SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
SIGNS |= {"==": operator.eq, "!=": operator.ne}


def check_claims(lines: Iterable[str], runs: Mapping[str, Run]) -> tuple[str, list[str]]:
    """The claims as HTML, and the snippets that they speak of.

    Raises:
        ValueError: a claim cannot be read, names what is not there, or does not hold.
    """
    checked, used = [], []
    for line in lines:
        claim = CLAIM.match(line)
        if not claim or claim["sign"] not in SIGNS:
            raise ValueError(
                "a claim is two values with a sign between them, as in 'one.loss < other.loss'; "
                f"found '{line}'; signs: {' '.join(SIGNS)}"
            )
        left, right = (_value_of(claim[side], runs) for side in ("left", "right"))
        values = f"{claim['left']} is {left.value!r} and {claim['right']} is {right.value!r}"
        if not isinstance(left.value, Unknown) and not isinstance(right.value, Unknown):
            if isinstance(left.value, str) != isinstance(right.value, str):
                raise ValueError(f"the claim '{line}' compares a text with a number: {values}")
            if not SIGNS[claim["sign"]](left.value, right.value):
                remedy = "say what is true, or find out why"
                raise ValueError(f"the claim '{line}' does not hold: {values}; {remedy}")
        sides = (f"<code>{v.snippet}.{v.name}</code> {_html(v)}" for v in (left, right))
        checked.append(f" {escape(claim['sign'])} ".join(sides))
        used += [left.snippet, right.snippet]
    if not checked:
        raise ValueError("a claim block holds claims, a line each; found none")
    return f'<p class="claim">Checked in this build: {"; ".join(checked)}</p>', used
