"""What search finds, and in which order: the index of Material's plugin, with what it lacks.

A reader types an author, the name of a program, or a concept. Authors stand in no heading, so they
become tags, which search weighs most; the name of a program stands before its title. Explanations
come before programs.
"""

from __future__ import annotations

import json
from pathlib import Path

from readinglist.sources.catalog import Catalog
from readinglist.sources.glossary import GLOSSARY

# How much a hit on a page counts, by the beginning of its address. A program says a word often,
# and would else come before the sentence that explains it.
WEIGHTS = {
    GLOSSARY: 40.0,
    "notation.md": 20.0,
    "path.md": 20.0,
    "citing.md": 20.0,
    "resources/": 10.0,
    "index.md": 5.0,
    "then-and-now.md": 5.0,
    "snippets/index.md": 0.5,
}


def weight(source: str) -> float:
    """The weight of the page made from this source."""
    return next((w for beginning, w in WEIGHTS.items() if source.startswith(beginning)), 1.0)


def complete_index(site: Path, catalog: Catalog) -> None:
    """Adds to the index of the built site what readers type and no heading says."""
    path = site / "search" / "search_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    authors = {f"index.html#{r.slug}": r.authors for r in catalog.resources}
    programs = {f"snippets/{name}.html": name for name in catalog.snippets}
    for document in index["docs"]:
        location = document["location"]
        if location in authors:
            document["tags"] = authors[location]
        if location in programs:
            document["title"] = f"{programs[location]}.py: {document['title']}"
    path.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
