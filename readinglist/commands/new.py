"""`new resource` and `new snippet`: the files of a contribution, from a template that builds."""

import argparse
import json
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
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
from readinglist.sources.resource import PROMPT, resource_name_problem
from readinglist.sources.snippet import read_snippet, snippet_name_problem
from readinglist.sources.works import KINDS, Work, pdf_remedy

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
)
TEMPLATES.filters |= {
    "comment": partial(textwrap.fill, width=100, initial_indent="# ", subsequent_indent="# "),
    "quoted": partial(json.dumps, ensure_ascii=False),
}
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


def write_resource(options: argparse.Namespace, root: Path) -> None:
    """Writes the page of a resource, to be filled in, and prints what comes next.

    Raises:
        Faults: what was given cannot be a resource's, or is there already.
    """
    catalog, _ = examine(root)
    work = _work(answers(options, RESOURCE), catalog)
    slug = options.slug or "-".join(_telling_words(work["title"])[:4]) or "resource"
    path = root / "docs" / "resources" / f"{slug}.md"
    if faults := list(_faults(work, slug, path, catalog)):
        raise Faults(faults)
    order = max((resource.order for resource in catalog.resources), default=0) + 1
    fields = yaml.safe_dump(
        {**work, "order": order},
        sort_keys=False, default_flow_style=None, allow_unicode=True, width=110,
    )  # fmt: skip
    text = TEMPLATES.get_template("resource.md.jinja").render(fields=fields, prompt=PROMPT)
    path.write_text(text, encoding="utf-8")
    url = str(Work.model_validate(work).url)
    write_link_records(root, {url: new_record(url, date.today()), **catalog.links})
    print(f"Wrote {path.relative_to(root)}. 'make serve' shows it.")
    print(f"What is left to write: python -m readinglist check {path.relative_to(root)}")


def write_snippet(options: argparse.Namespace, root: Path) -> None:
    """Writes a program that runs, and its test, and prints what comes next.

    Raises:
        Faults: what was given cannot be a snippet's, or is there already.
    """
    given = answers(options, SNIPPET)
    name = given["name"]
    if problem := snippet_name_problem(name):
        raise Faults([Fault(Path("--name"), 0, problem)])
    program = root / "snippets" / f"{name}.py"
    test = root / "tests" / "snippets" / f"test_{name}.py"
    if there := [path for path in (program, test) if path.exists()]:
        raise Faults(Fault(path, 0, "is there already; take another name") for path in there)
    fields = {part: " ".join(text.split()) for part, text in given.items()}
    for path, template in ((program, "snippet.py.jinja"), (test, "test_snippet.py.jinja")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEMPLATES.get_template(template).render(fields), encoding="utf-8")
    try:
        read_snippet(program, read_pins(root), {path.stem for path in program.parent.glob("*.py")})
    except Faults:
        program.unlink()
        test.unlink()
        raise
    print(f"Wrote {program.relative_to(root)} and {test.relative_to(root)}: they run as they are.")
    print(f"Run it: python -m readinglist run {name}")
    print(f"Show it on a page:\n\n``` cell\n{name}#matches_accumulate\n```")


def answers(options: argparse.Namespace, questions: Mapping[str, str]) -> dict[str, Any]:
    """What was given as options, and the answers to what was not.

    Raises:
        Faults: something is missing, and there is nobody to ask.
    """
    given = {name: getattr(options, name) for name in questions}
    missing = [name for name in questions if not given[name]]
    if missing and not sys.stdin.isatty():
        listed = ", ".join(f"--{name}" for name in missing)
        raise Faults([Fault(Path("new"), 0, f"needs {listed}; in a terminal, it would ask")])
    return given | {name: input(f"{questions[name]}: ").strip() for name in missing}


def _work(given: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
    """What a citation tells of the work, made of what was given."""
    title, authors, year = given["title"], given["authors"], given["year"]
    if isinstance(authors, str):
        authors = [name.strip() for name in re.split(r",|\band\b", authors) if name.strip()]
    url = pdf_remedy(given["url"]) or given["url"]
    host = urlsplit(url).netloc
    return {
        "title": title,
        "authors": authors,
        "year": int(year) if year.isdigit() else year,
        "kind": given["kind"],
        "venue": f"arXiv:{url.rpartition('/')[2]}" if host == "arxiv.org" else host or "unknown",
        "url": url,
        "licence": "none stated",
        "citation_key": _citation_key(authors, year, title, catalog),
    }


def _faults(work: Mapping[str, Any], slug: str, path: Path, catalog: Catalog) -> Iterator[Fault]:
    if problem := resource_name_problem(slug):
        yield Fault(Path("--slug"), 0, problem)
    elif path.exists():
        yield Fault(path, 0, "is there already; give another name with --slug")
    url = work["url"]
    for resource in catalog.resources:
        if str(resource.url).rstrip("/") == url.rstrip("/"):
            yield Fault(resource.path, resource.lines["url"], f"has this address already: {url}")
    try:
        Work.model_validate(work)
    except ValidationError as error:
        for wrong in error.errors():
            if (option := wrong["loc"][0]) in RESOURCE:  # the rest is made of these
                yield Fault(Path(f"--{option}"), 0, f"is {wrong['input']!r}: {wrong['msg']}")


def _plain(text: str) -> str:
    """The text in small letters, without accents and what is no letter of ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def _telling_words(title: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", _plain(title)) if word not in SMALL]


def _citation_key(authors: list[str], year: str, title: str, catalog: Catalog) -> str:
    """Surname, year, first telling word; with another letter until it is the only one."""
    *_, surname = ["anon", *re.findall(r"[a-z]+", _plain("".join(authors[:1])))]
    first = next(filter(str.isalpha, _telling_words(title)), "title")
    key = f"{surname}{year}{first}"
    while key in {resource.citation_key for resource in catalog.resources}:
        key += "b"
    return key
