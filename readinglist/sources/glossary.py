"""The glossary: read from its page, and shown where another page first uses a term."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown.extensions.toc import slugify

GLOSSARY = "glossary.md"
HEADING = re.compile(r'^## (?P<name>[^{\n]+?)(?: *\{ *(?:data-also="(?P<also>[^"\n]*)")? *\})?$')
LONGEST = 40  # words of a sentence that must fit into a tooltip
EXPLAINED = "Explained in "


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


def glossary_problems(terms: list[Term]) -> Iterator[tuple[int, str]]:
    """What is wrong with the glossary's page: the line, and the message."""
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
