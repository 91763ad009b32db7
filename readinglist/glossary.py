"""The glossary: read from its page, and shown where another page first uses a term."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from markdown.extensions.toc import slugify

GLOSSARY = "glossary.md"
HEADING = re.compile(r'^## (?P<name>[^{\n]+?)(?: *\{ *(?:data-also="(?P<also>[^"\n]*)")? *\})?$')
LONGEST = 40  # words of a sentence that must fit into a tooltip
EXPLAINED = "Explained in "
TAG = re.compile(r"(<[^>]*>)")
NAME = re.compile(r"</?(?P<name>[a-zA-Z][\w-]*)")
# Terms are marked in running text alone, and not within what has a meaning of its own.
RUNNING = {"p", "li"}
OTHER = {
    *("a", "button", "code", "pre", "math", "svg", "figure", "figcaption", "table", "summary"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "script", "style", "label", "audio"),
}


@dataclass(frozen=True)
class Term:
    """One entry: how the term is written, in all its forms, and the sentence that defines it."""

    name: str
    forms: tuple[str, ...]
    sentence: str
    line: int
    where: str  # the line that names the section

    @property
    def anchor(self) -> str:
        return slugify(self.name, "-")


def read_terms(text: str) -> list[Term]:
    """The terms of the glossary's page."""
    found = []
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if not (heading := HEADING.match(line)):
            continue
        also = [form.strip() for form in (heading["also"] or "").split(",") if form.strip()]
        sentence, where = [*_paragraphs(lines[index + 1 :]), "", ""][:2]
        name = heading["name"]
        found.append(Term(name, (name, *also), sentence, index + 1, where))
    return found


def _paragraphs(lines: list[str]) -> list[str]:
    """The paragraphs up to the next heading, each on one line."""
    end = next((i for i, line in enumerate(lines) if line.startswith("#")), len(lines))
    paragraphs = "\n".join(lines[:end]).strip().split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()]


def glossary_problems(text: str) -> Iterator[tuple[int, str]]:
    """What is wrong with the glossary's page: the line, and the message."""
    terms = read_terms(text)
    last = ""
    forms: dict[str, str] = {}
    for term in terms:
        if term.name.lower() < last:
            yield term.line, f"'{term.name}' stands out of order; the terms go from A to Z"
        last = term.name.lower()
        for form in term.forms:
            if (other := forms.setdefault(form.lower(), term.name)) != term.name:
                yield term.line, f"'{form}' is a form of '{other}' already; a form has one meaning"
        words = len(term.sentence.split())
        if not re.fullmatch(r"[^.!?<\[*`$]+[.!?]", term.sentence) or words > LONGEST:
            message = f"'{term.name}' needs one plain sentence of at most {LONGEST} words"
            yield term.line, f"{message}: it is shown as a tooltip too; found '{term.sentence}'"
        if not term.where.startswith(f"{EXPLAINED}["):
            message = f"'{term.name}' does not say where it is explained; add a paragraph"
            yield term.line, f"{message} '{EXPLAINED}[page](resources/page.md#section).'"


def mark_terms(html: str, terms: list[Term], glossary: str) -> str:
    """The page with the first use of each term as a link to it, the sentence as its title."""
    if not terms:
        return html
    pattern, by_form = _pattern(terms), {f.lower(): term for term in terms for f in term.forms}
    left = {term.name for term in terms}
    running = other = 0
    parts = TAG.split(html)
    for index, part in enumerate(parts):
        if index % 2:
            step = _step(part)
            name = NAME.match(part)
            tag = name["name"].lower() if name else ""
            running += step * (tag in RUNNING)
            other += step * (tag in OTHER)
        elif running > 0 and other == 0:
            parts[index] = _marked(part, pattern, by_form, left, glossary)
    return "".join(parts)


def _step(tag: str) -> int:
    """1 for a tag that opens an element, -1 for one that closes it."""
    if tag.startswith("</"):
        return -1
    return 0 if tag.endswith("/>") or tag.startswith("<!") else 1


def _pattern(terms: list[Term]) -> re.Pattern[str]:
    """Any form of any term; what has a capital within it stands for itself alone."""
    forms = sorted({form for term in terms for form in term.forms}, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(_written, forms))})(?![\w-])")


def _written(form: str) -> str:
    first, rest = form[0], re.escape(form[1:]).replace(r"\ ", r"\s+")
    if form[1:] == form[1:].lower():
        return f"[{re.escape(first.lower())}{re.escape(first.upper())}]{rest}"
    return re.escape(first) + rest


def _marked(
    text: str, pattern: re.Pattern[str], by_form: dict[str, Term], left: set[str], glossary: str
) -> str:
    def mark(match: re.Match[str]) -> str:
        term = by_form[" ".join(match[0].lower().split())]
        if term.name not in left:
            return match[0]
        left.remove(term.name)
        title = escape(term.sentence, quote=True)
        return f'<a class="term" href="{glossary}#{term.anchor}" title="{title}">{match[0]}</a>'

    return pattern.sub(mark, text)
