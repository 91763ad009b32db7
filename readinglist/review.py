"""Everything that is wrong with the project, found without running anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from readinglist.cache import Run
from readinglist.catalog import Catalog, examine
from readinglist.embedding import LISTS, Page, Shelf, embed
from readinglist.faults import Fault, Faults, line_of_link, read_text
from readinglist.glossary import GLOSSARY, glossary_problems
from readinglist.link_records import LinkRecord, Used, is_external, new_record, record_faults
from readinglist.links import Linked, link_faults, linkable, read_links
from readinglist.names import resource_name_problem, snippet_name_problem
from readinglist.new import is_template
from readinglist.news import NEWS, news_problems
from readinglist.pending import measured, pending_run
from readinglist.prose import text_problems, without_code
from readinglist.resource import Resource, split_front_matter
from readinglist.safety import file_problems
from readinglist.shows import showing
from readinglist.snippet import Snippet
from readinglist.values import REFERENCE, VALUE

NO_SUCH_SNIPPET = re.compile(r"there is no snippet '(?P<name>\w+)'")


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


def needed_records(root: Path, today: date) -> dict[str, LinkRecord]:
    """A record for every external link of the project: those there are, and new ones."""
    catalog, faults = examine(root)
    if faults:
        raise Faults(faults)
    pages = [_links(_read_page(path), catalog) for path in sorted((root / "docs").rglob("*.md"))]
    urls = {used.url for used in _external(catalog, pages)}
    return {url: catalog.links.get(url) or new_record(url, today) for url in urls}


def _external(catalog: Catalog, pages: Iterable[Linked]) -> Iterator[Used]:
    """Every link that leaves the site, on pages, in front matter and in snippets' prose."""
    for resource in catalog.resources:
        yield Used(str(resource.url), resource.path, resource.lines["url"])
    for page in pages:
        for link in page.links:
            if is_external(link):
                yield Used(link, page.path, line_of_link(page.path, link))
    for snippet in catalog.snippets.values():
        prose = "\n\n".join(cell.source for cell in snippet.cells if cell.markdown)
        for link in read_links(snippet.path, prose).links if "http" in prose else ():
            if is_external(link):
                yield Used(link, snippet.path, line_of_link(snippet.path, link))


def _read_page(path: Path) -> Page:
    _, body, before = split_front_matter(read_text(path))
    return Page(path, body, lines_before=before, lists=dict.fromkeys(LISTS, str))


def _shelf_without_runs(catalog: Catalog) -> Shelf:
    """What pages may embed, with pending runs in the place of results."""
    runs: dict[str, Run] = {
        name: pending_run(snippet) for name, snippet in catalog.snippets.items()
    }
    return Shelf(catalog.snippets, runs, catalog.root / "docs" / "assets" / "drawings", {})


def _embedding_faults(page: Page, shelf: Shelf) -> list[Fault]:
    try:
        embed(page, shelf)
    except Faults as error:
        return error.faults
    return []


def _speaks_of(fault: Fault, names: Iterable[str]) -> bool:
    """A snippet that could not be read is there all the same."""
    match = NO_SUCH_SNIPPET.search(fault.message)
    return bool(match and match["name"] in names)


def _links(page: Page, catalog: Catalog) -> Linked:
    linked = read_links(page.path, without_code(page.text))
    linked.anchors |= {resource.slug for resource in catalog.resources}
    return linked


def _text_faults(page: Page, timed: dict[str, set[str]]) -> Iterator[Fault]:
    """`timed` has the values of each snippet that hang on the machine's speed."""
    for below, message in text_problems(page.text):
        yield Fault(page.path, page.lines_before + below, message)
    for number, line in enumerate(without_code(page.text).split("\n"), page.lines_before + 1):
        for match in VALUE.finditer(line):
            reference = REFERENCE.match(match["inside"])
            if reference and reference["name"] in timed.get(reference["snippet"], ()):
                message = f"'[[{match['inside']}]]' hangs on the speed of the machine"
                remedy = "show the output of its cell, which says so, and claim a bound"
                yield Fault(page.path, number, f"{message}; {remedy}")


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
