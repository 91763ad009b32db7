"""What search finds: the index of Material's plugin, with what readers type and no heading says.

A reader types an author, the name of a program, or a concept. Authors stand in no heading, so they
become tags, which search weighs most; the name of a program stands before its title. How much a
page counts, its front matter says: `search: boost`.
"""

import json
from pathlib import Path
from typing import Any

from readinglist.memory import MEMORY
from readinglist.sources.catalog import Catalog
from readinglist.sources.dependencies import installed_version

# How much a hit on a resource's page counts. A program says a word often, and would else come
# before the sentence that explains it.
RESOURCE_BOOST = 10.0


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
    text = json.dumps(index, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    # As Material's offline plugin has it, for a page that is read from a folder.
    path.with_suffix(".js").write_text(f"var __index = {text}", encoding="utf-8")


def remember_entries(plugin: Any) -> None:
    """Lets the plugin's index make the entries of a page only if the page has changed."""
    if plugin is None:
        return
    index, add = plugin.search_index, plugin.search_index.add_entry_from_context
    material = installed_version("mkdocs-material")

    def recall(page: Any) -> None:
        def entries() -> list[dict[str, Any]]:
            first = len(index.entries)
            add(page)
            made, index.entries[first:] = index.entries[first:], []
            return made

        settings = json.dumps([material, page.title, page.meta], default=str)
        page_text = (page.url, settings, str(page.toc), page.content)
        index.entries += MEMORY.recall(page_text, entries)

    index.add_entry_from_context = recall
