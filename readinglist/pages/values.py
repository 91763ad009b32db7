"""Numbers in prose: `[[snippet.name:format]]` becomes what that variable held in the run."""

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

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
EXPONENT = re.compile(r"e(?P<sign>[+-])0*(?P<digits>\d+)$")
# What Markdown would read as markup, or a line's end as the end of a paragraph.
MARKUP = re.compile(r"[^\w ,]|_")


@dataclass(frozen=True)
class Value:
    """One variable of a run, and how the page wants it shown."""

    snippet: str
    name: str
    value: Any
    spec: str = ""


@dataclass
class Filled:
    """A text with its values in place, the snippets they came from, and what was wrong."""

    text: str = ""
    used: list[str] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)  # line in the text, message


def fill_values(text: str, runs: Mapping[str, Run]) -> Filled:
    """Fills in the values of some paragraphs; what stands in code spans stays as it is."""
    filled = Filled()
    # Code is blanked out of what is searched, at the same length, so that positions hold.
    searched = CODE_SPAN.sub(lambda span: re.sub(r"[^\n]", " ", span[0]), text)
    formulas = [match.span() for match in FORMULA.finditer(searched)]
    done = 0
    for match in VALUE.finditer(searched):
        in_formula = any(start < match.start() < end for start, end in formulas)
        filled.text += text[done : match.start()]
        done = match.end()
        try:
            value = value_of(match["inside"], runs)
            shown = formatted(value)
            filled.text += _latex(shown) if in_formula else value_html(shown, value)
            filled.used.append(value.snippet)
        except ValueError as error:
            filled.problems.append((text.count("\n", 0, match.start()), str(error)))
    filled.text += text[done:]
    return filled


def value_of(inside: str, runs: Mapping[str, Run]) -> Value:
    """What `snippet.name:format` speaks of.

    Raises:
        ValueError: it is not of that form, or there is no such value.
    """
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
    return Value(snippet, name, value, reference["format"] or "")


def formatted(value: Value) -> str:
    """The value as text. Raises ValueError if it cannot be shown so."""
    try:
        return format(value.value, value.spec)
    except (ValueError, OverflowError) as error:
        inside = f"[[{value.snippet}.{value.name}:{value.spec}]]"
        message = f"'{inside}': {value.value!r} cannot be shown as '{value.spec}'"
        raise ValueError(f"{message}: {error}; a format is like .1e, .2f, .0% or ,") from None


def _latex(shown: str) -> str:
    escaped = re.sub(r"([%_#&$])", r"\\\1", shown).replace(",", r"\text{,}")
    return EXPONENT.sub(lambda match: rf"\times 10^{{{_power(match, '-')}}}", escaped)


def value_html(shown: str, value: Value) -> str:
    """The value as it stands in a sentence, with its origin as a title."""
    if isinstance(value.value, str):
        inner = MARKUP.sub(lambda match: f"&#{ord(match[0])};", shown)
    else:
        minus = "\N{MINUS SIGN}"
        inner = EXPONENT.sub(lambda match: f" × 10<sup>{_power(match, minus)}</sup>", shown)
        inner = inner.replace("-", minus).replace("_", "&#95;")
    title = f"computed by {value.snippet}.py: {escape(value.name)}"
    return f'<span class="value" title="{title}">{inner}</span>'


def _power(match: re.Match[str], minus: str) -> str:
    return (minus if match["sign"] == "-" else "") + match["digits"]


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
        (left, right) = (value_of(claim[side], runs) for side in ("left", "right"))
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
