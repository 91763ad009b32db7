"""`check`: everything that is wrong with the project, found without running anything."""

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from readinglist.commands.links import record_faults
from readinglist.commands.page_rules import text_faults, timed_value_faults
from readinglist.commands.reading import Reading, read_project
from readinglist.faults import Fault, Faults, read_text
from readinglist.pages.links import link_faults, linkable
from readinglist.sources.glossary import GLOSSARY, glossary_problems
from readinglist.sources.news import NEWS
from readinglist.sources.resource import PROMPT, resource_name_problem
from readinglist.sources.snippet import snippet_name_problem


def add_command(commands: argparse._SubParsersAction) -> None:
    check = commands.add_parser("check", help="say everything that is wrong, and run nothing")
    check.add_argument("path", nargs="?", type=Path, help="a file or a folder; else everything")
    check.set_defaults(command=check_project)


def check_project(options: argparse.Namespace, root: Path) -> None:
    """Prints that all is in order, or raises Faults."""
    reading = read_project(root)
    faults = {*reading.faults, *(fault for rule in RULES for fault in rule(reading))}
    if options.path:
        below = _in_project(options.path, root)
        faults = {fault for fault in faults if (root / fault.path).is_relative_to(below)}
    if faults:
        raise Faults(faults)
    snippets, resources = len(reading.project.snippets), len(reading.project.resources)
    print(f"{options.path or f'{snippets} snippets and {resources} resources'}: in order.")


def _in_project(path: Path, root: Path) -> Path:
    """The file or folder as the faults name it. Raises Faults if there is nothing there."""
    for whole in (path.resolve(), (root / path).resolve()):
        if whole.exists() and whole.is_relative_to(root.resolve()):
            return root / whole.relative_to(root.resolve())
    raise Faults([Fault(path, 0, "is not a file or a folder of this project; check its name")])


def _links_lead_somewhere(reading: Reading) -> Iterator[Fault]:
    anchors = linkable(reading.linked, reading.project)
    anchors |= dict.fromkeys(f"snippets/{name}.ipynb" for name in reading.unread)
    for page in reading.linked:
        yield from link_faults(page, reading.root / "docs", anchors)


def _glossary_is_in_order(reading: Reading) -> Iterator[Fault]:
    for line, message in glossary_problems(reading.project.terms):
        yield Fault(reading.root / "docs" / GLOSSARY, line, message)


def _resources_are_filled_in(reading: Reading) -> Iterator[Fault]:
    for resource in reading.project.resources:
        if problem := resource_name_problem(resource.slug):
            yield Fault(resource.path, 1, problem)
        for name in ("why", "skip", "outcome"):
            if getattr(resource, name).startswith(PROMPT):
                message = f"'{name}' is still the template's; write one to three sentences"
                yield Fault(resource.path, resource.lines[name], f"{message} of your own")


def _news_tell_of_resources(reading: Reading) -> Iterator[Fault]:
    """The resources that the page with the news, if there is one, does not link to."""
    message = f"is not told of in docs/{NEWS}; add a line with a link there, below a date"
    for news in (page for page in reading.linked if page.path == reading.root / "docs" / NEWS):
        for resource in reading.project.resources:
            if resource.annotated and f"resources/{resource.path.name}" not in news.links:
                yield Fault(resource.path, 1, message)


def _snippets_are_shown_and_tested(reading: Reading) -> Iterator[Fault]:
    used = {name for page in reading.pages for name in page.used}
    for snippet in reading.project.snippets.values():
        if problem := snippet_name_problem(snippet.name):
            yield Fault(snippet.path, 1, problem)
        if snippet.name not in used:
            example = f"{snippet.name}#{next(reversed(snippet.code), 'cell')}"
            message = f"no page shows anything of this snippet; put a cell block with '{example}'"
            yield Fault(snippet.path, 1, f"{message} on a resource's page")
        test = reading.root / "tests" / "snippets" / f"test_{snippet.name}.py"
        if not test.exists():
            message = f"there is no tests/snippets/{test.name}; check the definitions there"
            yield Fault(snippet.path, 1, f"{message} against an oracle")
        elif not re.search(r"^ *def test_", read_text(test), re.MULTILINE):
            message = "holds no function test_...; check the snippet's definitions"
            yield Fault(test, 1, f"{message} against an oracle")


def _tests_have_a_snippet(reading: Reading) -> Iterator[Fault]:
    known = {*reading.project.snippets, *reading.unread}
    for path in sorted((reading.root / "tests" / "snippets").glob("test_*.py")):
        if (name := path.stem.removeprefix("test_")) not in known:
            yield Fault(path, 1, f"tests no snippet: there is no snippets/{name}.py; remove it")


RULES: tuple[Callable[[Reading], Iterator[Fault]], ...] = (
    text_faults,
    timed_value_faults,
    record_faults,
    _links_lead_somewhere,
    _glossary_is_in_order,
    _resources_are_filled_in,
    _news_tell_of_resources,
    _snippets_are_shown_and_tested,
    _tests_have_a_snippet,
)
