"""Everything that is wrong with the project, found without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from readinglist.commands.page_links import (
    Linked,
    _external,
    _links,
    link_faults,
    linkable,
    record_faults,
)
from readinglist.commands.page_rules import _embedding_faults, _speaks_of, _text_faults, measured
from readinglist.commands.shows import showing
from readinglist.faults import Fault, Faults, read_text
from readinglist.pages.embedding import LISTS, Page
from readinglist.pages.session import Shelf
from readinglist.running.pending import pending_run
from readinglist.running.store import Run
from readinglist.safety import file_problems
from readinglist.sources.catalog import Catalog, examine
from readinglist.sources.glossary import GLOSSARY, glossary_problems
from readinglist.sources.news import NEWS, news_problems
from readinglist.sources.resource import (
    Resource,
    is_template,
    resource_name_problem,
    split_front_matter,
)
from readinglist.sources.snippet import Snippet, snippet_name_problem


@dataclass
class Review:
    """What there is, and what is wrong with it."""

    catalog: Catalog
    faults: list[Fault] = field(default_factory=list)

    def below(self, path: Path) -> list[Fault]:
        """The faults of a file, or of the files in a folder, named from the project's root."""
        return [f for f in self.faults if f.path.is_relative_to(path)]


def review(root: Path) -> Review:
    """Reads the whole project and notes every fault."""
    catalog, faults = examine(root)
    docs = root / "docs"
    unread = {path.stem for path in (root / "snippets").glob("*.py")} - set(catalog.snippets)
    shelf = _shelf_without_runs(catalog)
    timed = {name: measured(snippet) for name, snippet in catalog.snippets.items()}
    found: list[Fault] = []
    linked: list[Linked] = []
    used: set[str] = set()
    for path in sorted(docs.rglob("*.md")):
        try:
            page = _read_page(path)
        except Faults as error:
            found += error.faults
            continue
        found += [f for f in _embedding_faults(page, shelf) if not _speaks_of(f, unread)]
        found += _text_faults(page, timed)
        if path == docs / NEWS:
            told = news_problems(page.text)
            found += [Fault(path, page.lines_before + line, text) for line, text in told]
        if path == docs / GLOSSARY:
            told = glossary_problems(page.text)
            found += [Fault(path, page.lines_before + line, text) for line, text in told]
        linked.append(_links(page, catalog))
        used |= {*page.used}
    found += record_faults(_external(catalog, linked), catalog.links, not faults)
    anchors = linkable(linked, docs, catalog.snippets.values())
    anchors |= dict.fromkeys(f"snippets/{name}.ipynb" for name in unread)
    for linked_page in linked:
        found += link_faults(linked_page, docs, anchors)
    for snippet in catalog.snippets.values():
        found += _snippet_faults(snippet, root, used)
    for resource in catalog.resources:
        found += _resource_faults(resource)
    found += _untold(catalog, linked)
    found += [Fault(path, 0, problem) for path, problem in file_problems(docs)]
    found += _stray_tests(root, {*catalog.snippets, *unread})
    return Review(catalog, sorted({*faults, *catalog.relative(found)}))


def _read_page(path: Path) -> Page:
    _, body, before = split_front_matter(read_text(path))
    return Page(path, body, lines_before=before, lists=dict.fromkeys(LISTS, str))


def _shelf_without_runs(catalog: Catalog) -> Shelf:
    """What pages may embed, with pending runs in the place of results."""
    runs: dict[str, Run] = {
        name: pending_run(snippet) for name, snippet in catalog.snippets.items()
    }
    return Shelf(catalog.snippets, runs, catalog.root / "docs" / "assets" / "drawings", {})


def _resource_faults(resource: Resource) -> Iterator[Fault]:
    if problem := resource_name_problem(resource.slug):
        yield Fault(resource.path, 1, problem)
    for name in ("why", "skip", "outcome"):
        if is_template(resource, name):
            message = f"'{name}' is still the template's; write one to three sentences of your own"
            yield Fault(resource.path, resource.lines[name], message)


def _untold(catalog: Catalog, pages: Iterable[Linked]) -> Iterator[Fault]:
    """The resources that the page with the news, if there is one, does not link to."""
    news = next((page for page in pages if page.path.name == NEWS), None)
    for resource in catalog.resources if news else []:
        if news and resource.annotated and f"resources/{resource.path.name}" not in news.links:
            message = f"is not told of in docs/{NEWS}; add a line with a link there, below a date"
            yield Fault(resource.path, 1, message)


def _snippet_faults(snippet: Snippet, root: Path, used: set[str]) -> Iterator[Fault]:
    if problem := snippet_name_problem(snippet.name):
        yield Fault(snippet.path, 1, problem)
    if snippet.name not in used:
        example = f"{snippet.name}#{next(reversed(snippet.code), 'cell')}"
        message = f"no page shows anything of this snippet; put a cell block with '{example}'"
        yield Fault(snippet.path, 1, f"{message} on a resource's page")
    test = Path("tests", "snippets", f"test_{snippet.name}.py")
    if not (root / test).exists():
        message = f"there is no {test.as_posix()}; check the definitions there against an oracle"
        yield Fault(snippet.path, 1, message)
    elif not _has_test(root / test):
        message = "holds no function test_...; check the snippet's definitions against an oracle"
        yield Fault(root / test, 1, message)
    for cell, what in showing(snippet):
        if not cell.alt.strip():
            remedy = 'end its marker with alt="what there is to see or hear"'
            message = f"cell '{cell.name}' seems to {what} without alternative text"
            yield Fault(snippet.path, cell.line, f"{message}; {remedy}")


def _has_test(path: Path) -> bool:
    try:
        tree = ast.parse(read_text(path))
    except SyntaxError:
        return True  # ruff says so, and where
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return any(function.name.startswith("test_") for function in functions)


def _stray_tests(root: Path, names: set[str]) -> Iterator[Fault]:
    for path in sorted((root / "tests" / "snippets").glob("test_*.py")):
        if (name := path.stem.removeprefix("test_")) not in names:
            yield Fault(path, 1, f"tests no snippet: there is no snippets/{name}.py; remove it")
