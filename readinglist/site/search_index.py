"""What search finds: the index of Material's plugin, with what readers type and no heading says.

A reader types an author, the name of a program, or a concept. Authors stand in no heading, so they
become tags, which search weighs most; the name of a program stands before its title. How much a
page counts, its front matter says: `search: boost`.
"""

import json
from pathlib import Path

from readinglist.sources.catalog import Catalog


def complete_index(site: Path, catalog: Catalog) -> None:
    """Adds the authors and the names of programs to the index of the built site."""
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
