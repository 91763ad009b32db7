"""Deprecation warnings of a run: each is mended, or listed in the snippet with a reason."""

from __future__ import annotations

from collections.abc import Iterator

from readinglist.cache import Run
from readinglist.faults import Fault, line_of
from readinglist.snippet import Snippet


def deprecation_faults(snippet: Snippet, run: Run) -> Iterator[Fault]:
    """The deprecations that the snippet does not list, and those it lists that did not occur."""
    messages = []
    for warning in run.warnings:
        if not warning["deprecated"]:
            continue
        messages.append(warning["message"])
        if any(part in warning["message"] for part in snippet.deprecations):
            continue
        cell = snippet.code[warning["cell"]]
        said = " ".join(f"{warning['category']}: {warning['message']}".split())
        remedy = (
            "use what it names instead, or list it in the dependency block: "
            '[tool.recurrent.deprecations] with "part of the message" = "why it stays"'
        )
        found = f"cell '{cell.name}' uses what will go, {said}"
        yield Fault(snippet.path, cell.line + warning["line"], f"{found}; {remedy}")
    for part in snippet.deprecations:
        if not any(part in message for message in messages):
            message = f"lists the deprecation '{part}', of which its run did not warn; remove it"
            yield Fault(
                snippet.path, line_of(snippet.path, r"tool\.recurrent\.deprecations"), message
            )
