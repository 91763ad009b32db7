"""The glossary: read from its page, and shown where another page first uses a term."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

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
    terms = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if heading := HEADING.match(line):
            forms = [heading["name"], *map(str.strip, (heading["also"] or "").split(","))]
            body = takewhile(lambda line: not line.startswith("#"), lines[number:])
            paragraphs = re.split(r"\n\s*\n", "\n".join(body).strip())
            sentence, where, *_ = [*(" ".join(part.split()) for part in paragraphs), ""]
            terms.append(Term(forms[0], tuple(filter(None, forms)), sentence, number, where))
    return terms


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
