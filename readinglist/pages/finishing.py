"""What is done to finished HTML: terms, archived copies, copy buttons."""

import re
from collections import Counter
from collections.abc import Mapping
from html import escape, unescape
from itertools import count

from readinglist.memory import remembered
from readinglist.sources.glossary import Term
from readinglist.sources.link_records import LinkRecord

BLOCK = re.compile(r"<pre><span></span><code")
# The classes and attributes by which Material draws the button, and copies when it is pressed.
BUTTON = (
    '<pre><span class="md-code__nav"><button type="button" class="md-code__button"'
    ' data-md-type="copy" data-clipboard-target="#{0}" title="Copy to clipboard">'
    '</button></span><code id="{0}"'
)


def add_copy_buttons(html: str, name: str = "code") -> str:
    """Part of a page with a copy button in each block of code, whose ids begin with `name`."""
    numbers = count(1)
    return BLOCK.sub(lambda _: BUTTON.format(f"{name}-{next(numbers)}"), html)


# A tag with a name, another tag or a comment, or text.
TOKEN = re.compile(
    r"<(?P<closing>/)?(?P<name>[a-zA-Z][\w-]*)[^>]*?(?P<empty>/)?>|<[^>]*>|(?P<text>[^<]+)"
)
# Terms are marked in running text alone, and not within what has a meaning of its own.
RUNNING = ("p", "li")
OTHER = (
    *("a", "button", "code", "pre", "math", "svg", "figure", "figcaption", "table", "summary"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "script", "style", "label", "audio"),
)
ROLES = dict.fromkeys(RUNNING, "running") | dict.fromkeys(OTHER, "other")


@remembered()
def mark_terms(html: str, terms: list[Term], glossary: str) -> str:
    """The page with the first use of each term as a link to it, the sentence as its title."""
    if not terms:
        return html
    by_form = {form.lower(): term for term in terms for form in term.forms}
    pattern = _pattern(terms)
    left = {term.name for term in terms}
    depth = Counter[str]()  # how many elements of each role are open

    def link(match: re.Match[str]) -> str:
        term = by_form[" ".join(match[0].lower().split())]
        if term.name not in left:
            return match[0]
        left.remove(term.name)
        title = escape(term.sentence)
        return f'<a class="term" href="{glossary}#{term.anchor}" title="{title}">{match[0]}</a>'

    def marked(token: re.Match[str]) -> str:
        if token["text"] and depth["running"] > 0 and not depth["other"]:
            return pattern.sub(link, token[0])
        if token["name"] and not token["empty"]:
            depth[ROLES.get(token["name"].lower(), "")] += -1 if token["closing"] else 1
        return token[0]

    return TOKEN.sub(marked, html)


def _pattern(terms: list[Term]) -> re.Pattern[str]:
    """Any form of any term; what has a capital within it stands for itself alone."""
    forms = sorted({form for term in terms for form in term.forms}, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(_written, forms))})(?![\w-])")


def _written(form: str) -> str:
    first, rest = form[0], form[1:]
    either = first.lower() + first.upper() if rest == rest.lower() else first
    return f"[{re.escape(either)}]" + re.escape(rest).replace(r"\ ", r"\s+")


ANCHOR = re.compile(r'<a (?P<before>[^>]*?)href="(?P<url>https?://[^"]+)"')


def lead_to_copies(html: str, records: Mapping[str, LinkRecord]) -> str:
    """The page with the archived copy in the place of every original that is gone."""

    def lead(anchor: re.Match[str]) -> str:
        record = records.get(unescape(anchor["url"]))
        if not record or not record.gone:
            return anchor[0]
        title = f"The original was found gone on {record.gone}. This is its archived copy."
        href = escape(record.archived)
        return f'<a {anchor["before"]}data-gone title="{title}" href="{href}"'

    return ANCHOR.sub(lead, html)
