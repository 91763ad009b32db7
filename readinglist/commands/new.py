"""`new resource` and `new snippet`: the files of a contribution, from a template that builds."""

import argparse
import json
import re
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
import yaml
from pydantic import ValidationError

from readinglist.faults import Fault, Faults
from readinglist.sources.catalog import Catalog, examine
from readinglist.sources.dependencies import read_pins
from readinglist.sources.link_records import new_record, write_link_records
from readinglist.sources.resource import PROMPT, FrontMatter, resource_name_problem
from readinglist.sources.snippet import read_snippet, snippet_name_problem
from readinglist.sources.works import KINDS, pdf_remedy

TEMPLATES = Path(__file__).parent / "templates"
Ask = Callable[[str], str]
# What is asked for, and how.
RESOURCE = {
    "title": "Title",
    "url": "Address of the original",
    "authors": "Authors, separated by commas",
    "year": "Year",
    "kind": f"Kind ({', '.join(KINDS)})",
}
SNIPPET = {
    "name": "Name: the concept, in snake_case",
    "title": "Title",
    "summary": "What it shows, in a sentence",
    "concept": "Concept, as it stands in the gallery",
}
# Words of a title that say nothing alone.
SMALL = {
    "a", "an", "and", "are", "as", "at", "by", "for", "from", "how", "in", "into", "is", "of",
    "on", "or", "the", "to", "we", "what", "why", "with",
}  # fmt: skip


def add_command(commands: argparse._SubParsersAction) -> None:
    new = commands.add_parser("new", help="write the files of a contribution, from a template")
    kinds = new.add_subparsers(metavar="kind", required=True)
    resource = kinds.add_parser("resource", help="the page of a resource")
    for name, question in RESOURCE.items():
        resource.add_argument(f"--{name}", help=question, nargs="+" if name == "authors" else None)
    resource.add_argument("--slug", help="name of the file, if not from the title")
    resource.set_defaults(command=write_resource)
    snippet = kinds.add_parser("snippet", help="a snippet and its test")
    for name, question in SNIPPET.items():
        snippet.add_argument(f"--{name}", help=question)
    snippet.set_defaults(command=write_snippet)


def write_resource(options: argparse.Namespace, root: Path) -> int:
    """Writes the page, and prints what comes next."""
    catalog, _ = examine(root)
    given = answers(vars(options), RESOURCE, _ask())
    path = new_resource(catalog, {**given, "slug": options.slug}).relative_to(root)
    print(f"Wrote {path}. 'make serve' shows it.")
    print(f"What is left to write: python -m readinglist check {path}")
    return 0


def write_snippet(options: argparse.Namespace, root: Path) -> int:
    """Writes the program and its test, and prints what comes next."""
    catalog, _ = examine(root)
    paths = new_snippet(catalog, answers(vars(options), SNIPPET, _ask()))
    program, test = (path.relative_to(root) for path in paths)
    print(f"Wrote {program} and {test}: they run as they are.")
    print(f"Run it: python -m readinglist run {program.stem}")
    print(f"Show it on a page:\n\n``` cell\n{program.stem}#matches_accumulate\n```")
    return 0


def _ask() -> Ask | None:
    return input if sys.stdin.isatty() else None


def answers(given: Mapping[str, Any], questions: Mapping[str, str], ask: Ask | None) -> dict:
    """What was given as options, and the answers to what was not.

    Raises:
        Faults: something is missing, and there is nobody to ask.
    """
    missing = [name for name in questions if not given.get(name)]
    if missing and not ask:
        options = ", ".join(f"--{name}" for name in missing)
        raise Faults([Fault(Path("new"), 0, f"needs {options}; in a terminal, it would ask")])
    asked = {name: ask(f"{questions[name]}: ").strip() for name in missing if ask}
    return {**{name: given[name] for name in questions if given.get(name)}, **asked}


def new_resource(catalog: Catalog, given: Mapping[str, Any]) -> Path:
    """Writes the page of a resource, to be filled; returns its path.

    Raises:
        Faults: what was given cannot be a resource's, or is there already.
    """
    data = _front_matter(catalog, given)
    slug = given.get("slug") or _slug(given["title"])
    if problem := resource_name_problem(slug):
        raise Faults([Fault(Path("--slug"), 0, problem)])
    path = catalog.root / "docs" / "resources" / f"{slug}.md"
    if faults := [*_data_faults(data), *_resource_faults(path, data["url"], catalog)]:
        raise Faults(faults)
    front = yaml.safe_dump(
        data, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110
    )
    path.write_text(_rendered("resource.md", front_matter=front), encoding="utf-8")
    url = str(FrontMatter.model_validate(data).url)
    write_link_records(catalog.root, {url: new_record(url, date.today()), **catalog.links})
    return path


def _front_matter(catalog: Catalog, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, and a value that is allowed for every other field."""
    authors, year = given["authors"], given["year"]
    if isinstance(authors, str):
        authors = [name.strip() for name in re.split(r",|\band\b", authors) if name.strip()]
    url = pdf_remedy(given["url"]) or given["url"]
    host = urlsplit(url).netloc
    return {
        "title": given["title"],
        "authors": authors,
        "year": int(year) if year.isdigit() else year,
        "kind": given["kind"],
        "venue": f"arXiv:{url.rpartition('/')[2]}" if host == "arxiv.org" else host or "unknown",
        "url": url,
        "licence": "none stated",
        "citation_key": _citation_key(authors, year, given["title"], catalog),
        "order": max((resource.order for resource in catalog.resources), default=0) + 1,
        "minutes": 30,
        "level": "intermediate",
        "after": [],
        "prerequisites": [],
        "concepts": ["one concept"],
        "why": f"{PROMPT} why to read it.",
        "skip": f"{PROMPT} what to skip.",
        "outcome": f"{PROMPT} what a reader can do afterwards.",
        "status": "annotated",
    }


def _data_faults(data: dict[str, Any]) -> list[Fault]:
    try:
        FrontMatter.model_validate(data)
    except ValidationError as error:
        return [
            Fault(Path(f"--{problem['loc'][0]}"), 0, f"is {problem['input']!r}: {problem['msg']}")
            for problem in error.errors()
            if problem["loc"][0] in RESOURCE  # the rest is made of these
        ]
    return []


def _resource_faults(path: Path, url: str, catalog: Catalog) -> list[Fault]:
    faults = []
    if path.exists():
        remedy = "give another name with --slug"
        faults.append(Fault(path, 0, f"is there already; {remedy}"))
    same = [r for r in catalog.resources if str(r.url).rstrip("/") == url.rstrip("/")]
    for resource in same:
        message = f"has this address already: {url}"
        faults.append(Fault(resource.path, resource.lines["url"], message))
    return faults


def new_snippet(catalog: Catalog, given: Mapping[str, Any]) -> tuple[Path, Path]:
    """Writes a snippet that runs, and its test; returns their paths.

    Raises:
        Faults: what was given cannot be a snippet's, or is there already.
    """
    root, name = catalog.root, given["name"]
    if problem := snippet_name_problem(name):
        raise Faults([Fault(Path("--name"), 0, problem)])
    paths = (root / "snippets" / f"{name}.py", root / "tests" / "snippets" / f"test_{name}.py")
    if there := [path for path in paths if path.exists()]:
        raise Faults([Fault(path, 0, "is there already; take another name") for path in there])
    text = _rendered(
        "snippet.py",
        concept=json.dumps(_line(given["concept"]), ensure_ascii=False),
        title=_line(given["title"]),
        summary=textwrap.fill(
            _line(given["summary"]), 100, initial_indent="# ", subsequent_indent="# "
        ),
    )
    for path, content in zip(paths, (text, _rendered("test_snippet.py")), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    try:
        read_snippet(paths[0], read_pins(root), {*catalog.snippets, name})
    except Faults as error:
        for path in paths:
            path.unlink()
        raise error.within(root) from None
    return paths


def _rendered(template: str, **fields: Any) -> str:
    source = (TEMPLATES / f"{template}.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(source).render(fields)


def _line(text: str) -> str:
    return " ".join(text.split())


def _words(text: str) -> list[str]:
    """Words of plain letters and digits, in lower case."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", plain.lower())


def _slug(title: str) -> str:
    words = [word for word in _words(title) if word not in SMALL] or ["resource"]
    return "-".join(words[:4])


def _citation_key(authors: list[str], year: str, title: str, catalog: Catalog) -> str:
    """Surname, year, first telling word; with another letter until it is the only one."""
    letters = [re.sub(r"[^a-z]", "", word) for word in _words(authors[0] if authors else "")]
    surname = next((word for word in reversed(letters) if word), "anon")
    first = next((w for w in _words(title) if w.isalpha() and w not in SMALL), "title")
    key = f"{surname}{year}{first}"
    taken = {resource.citation_key for resource in catalog.resources}
    while key in taken:
        key += "b"
    return key
