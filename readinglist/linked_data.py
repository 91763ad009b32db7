"""What search engines and other programs read of a page: schema.org's LearningResource."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from readinglist.link_records import LinkRecord
from readinglist.resource import Resource
from readinglist.snippet import Snippet

SITE_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
CODE_LICENCE = "https://opensource.org/license/mit"


def of_list(resources: Iterable[Resource], name: str, description: str, url: str) -> dict[str, Any]:
    """The reading list itself; `url` is that of the site."""
    parts = [
        {"@type": "LearningResource", "name": r.title, "url": f"{url}resources/{r.slug}.html"}
        for r in resources
        if r.annotated
    ]
    return {
        **_page(name, description, url),
        "learningResourceType": "reading list",
        "hasPart": parts,
    }


def of_resource(resource: Resource, record: LinkRecord | None, url: str) -> dict[str, Any]:
    """The page that annotates a resource, and the original that it is about."""
    original = {
        "@type": "ScholarlyArticle" if resource.scholarly else "Article",
        "name": resource.title,
        "author": [{"@type": "Person", "name": name} for name in resource.authors],
        "datePublished": str(resource.published or resource.year),
        "url": str(resource.url),
    }
    if record:
        original["archivedAt"] = record.archived
    return {
        **_page(f"{resource.title}, annotated", resource.why, url),
        "learningResourceType": "annotated reading",
        "educationalLevel": resource.level,
        "timeRequired": f"PT{resource.minutes}M",
        "competencyRequired": resource.prerequisites,
        "teaches": resource.concepts,
        "assesses": resource.outcome,
        "isBasedOn": original,
    }


def of_snippet(snippet: Snippet, url: str) -> dict[str, Any]:
    """The page of a snippet."""
    return {
        **_page(snippet.title, snippet.summary, url, CODE_LICENCE),
        "learningResourceType": "example program",
        "teaches": snippet.concept,
    }


def _page(name: str, description: str, url: str, licence: str = SITE_LICENCE) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "name": name,
        "description": description,
        "url": url,
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "license": licence,
    }


def within_html(data: dict[str, Any]) -> str:
    """The data as text for a script element, which nothing in it can close."""
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
