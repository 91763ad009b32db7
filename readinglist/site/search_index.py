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
    documents = {document["location"]: document for document in index["docs"]}
    for resource in catalog.resources:
        if document := documents.get(f"index.html#{resource.slug}"):
            document["tags"] = resource.authors
    for name in catalog.snippets:
        if document := documents.get(f"snippets/{name}.html"):
            document["title"] = f"{name}.py: {document['title']}"
    path.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
