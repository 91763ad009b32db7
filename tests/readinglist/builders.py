"""Texts of the smallest snippets and resources that are in order."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from readinglist.sources.dependencies import read_pins
from readinglist.sources.link_records import LinkRecord, read_link_records, write_link_records

ROOT = Path(__file__).parents[2]
PINS = read_pins(ROOT)
# A snippet's first code cell stands on this line, if the snippet has no dependencies.
FIRST_LINE = 13
FIELDS = {
    "title": "A Title",
    "authors": ["Ada Lovelace", "Charles Babbage"],
    "year": 1997,
    "kind": "journal article",
    "venue": "A Journal",
    "url": "https://example.org/original",
    "licence": "none stated",
    "citation_key": "lovelace1997title",
    "order": 1,
    "minutes": 10,
    "level": "advanced",
    "after": [],
    "prerequisites": ["patience"],
    "concepts": ["engines"],
    "why": "Read it for the notes.",
    "skip": "Skip the table.",
    "outcome": "Count without a machine.",
    "status": "annotated",
}


def snippet_text(*cells: str, dependencies: tuple[str, ...] = (), title: str = "A title") -> str:
    """A whole snippet: the block, the introduction, and cells that begin with their marker."""
    pinned = [f"{name}=={PINS[name]}" for name in dependencies]
    listed = ", ".join(f'"{pin}"' for pin in pinned)
    block = f"# /// script\n# dependencies = [{listed}]\n#\n"
    block += '# [tool.recurrent]\n# concept = "a concept"\n# ///\n'
    introduction = f"# %% [markdown]\n# # {title}\n#\n# A sentence.\n"
    return "\n".join([block, introduction, *(cell + "\n" for cell in cells)])


def resource_text(body: str = "Some text.", **fields: object) -> str:
    """A whole page of a resource; a field that is None is left out."""
    kept = {name: value for name, value in {**FIELDS, **fields}.items() if value is not None}
    front = yaml.safe_dump(kept, sort_keys=False, default_flow_style=None, allow_unicode=True)
    return f"---\n{front}---\n{body}\n"


def record_links(project: Path, text: str) -> None:
    """Records the links of a page, as `python -m readinglist links` does; images are none."""
    urls = re.findall(r"https?://[^\s)'\"]+", re.sub(r"!\[.*?\)", "", text))
    known = {url: LinkRecord(archived=f"https://archive.example/{url}") for url in urls}
    (project / "docs").mkdir(exist_ok=True)
    write_link_records(project, {**read_link_records(project), **known})
