"""Rules for the text of a page, beyond what it embeds and where it links."""

import ast
import re
from collections.abc import Iterator

from readinglist.commands.reading import Reading
from readinglist.faults import Fault
from readinglist.pages.links import FENCED, without_code
from readinglist.pages.values import REFERENCE, VALUE
from readinglist.running.pending import bound_names
from readinglist.sources.snippet import Snippet, parsed

WORDS = 2600  # of prose on a page; what does not fit folds away, or stands on a snippet's page
FOLDED = re.compile(r"^\?\?\?.*\n(?:(?: {4}.*)?\n)*", re.M)
DISPLAY = re.compile(r"\$\$.*?\$\$", re.S)
COMMENT = re.compile(r"<!--.*?-->", re.S)
WORD = re.compile(r"\w[\w'’-]*")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b|(?i:\bcoming soon\b)")
# A heading, and below it the end of the page or a heading that is not deeper.
EMPTY_SECTION = re.compile(
    r"^(?P<marks>#+) +(?P<title>.+?) *(?:\{.*\})?$\s*(?=\Z|^(?!(?P=marks)#)#+ +\S)", re.M
)


def text_faults(reading: Reading) -> Iterator[Fault]:
    """What is unfinished, empty or too long on a page."""
    for page in reading.pages:
        for below, message in text_problems(page.text):
            yield Fault(page.path, page.lines_before + below, message)


def timed_value_faults(reading: Reading) -> Iterator[Fault]:
    """Values in prose that depend on the machine's speed."""
    timed = {name: timed_names(snippet) for name, snippet in reading.project.snippets.items()}
    for page in reading.pages:
        for number, line in enumerate(without_code(page.text).split("\n"), page.lines_before + 1):
            for match in VALUE.finditer(line):
                reference = REFERENCE.match(match["inside"])
                if reference and reference["name"] in timed.get(reference["snippet"], ()):
                    message = f"'[[{match['inside']}]]' depends on the speed of the machine"
                    remedy = "show the output of its cell, which says so, and claim a bound"
                    yield Fault(page.path, number, f"{message}; {remedy}")


def timed_names(snippet: Snippet) -> set[str]:
    """The variables that only timed cells give a value, and not as a plain number in the code."""
    timed: set[str] = set()
    others: set[str] = set()
    if not any(cell.timed for cell in snippet.code.values()):
        return timed
    for cell in snippet.code.values():
        tree = parsed(cell.source)
        (timed if cell.timed else others).update(bound_names(tree))
        for node in tree.body if cell.timed else ():
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                others.update(bound_names(node))
    return timed - others


def text_problems(text: str) -> Iterator[tuple[int, str]]:
    """What is wrong with a page's text: the line within it, and the message."""
    prose = without_code(text)
    for number, line in enumerate(prose.split("\n"), 1):
        if found := UNFINISHED.search(line):
            yield number, f"says '{found[0]}'; a page has nothing unfinished, so write it or cut it"
    yield from _empty_sections(text)
    if (words := count_words(prose)) > WORDS:
        message = f"has {words:,} words of prose; at most {WORDS:,}"
        yield 1, f"{message}: cut, fold away, or move some to a snippet's page"


def count_words(prose: str) -> int:
    """Words that a reader meets in running text: no code, no table, no formula, nothing folded."""
    for pattern in (FENCED, FOLDED, DISPLAY, COMMENT):
        prose = pattern.sub("", prose)
    lines = (line for line in prose.split("\n") if not line.lstrip().startswith(("|", "#", "<")))
    running = re.sub(r"\]\([^)]*\)|<[^>]*>", "", VALUE.sub("1", "\n".join(lines)))
    return len(WORD.findall(running))


def _empty_sections(text: str) -> Iterator[tuple[int, str]]:
    """A heading with nothing below it: the template's, which nobody has filled yet."""
    shown = COMMENT.sub(lambda comment: re.sub(r"[^\n]", "", comment[0]), text)
    # What a fence holds is content, even if it looks like a heading.
    shown = FENCED.sub(lambda block: re.sub(r"[^\n]+", "x", block[0]), shown)
    for section in EMPTY_SECTION.finditer(shown):
        message = f"the section '{section['title']}' is empty; write it or remove its heading"
        yield shown.count("\n", 0, section.start()) + 1, message
