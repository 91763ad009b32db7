"""What search engines and other programs read of a page: schema.org's LearningResource."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

import jinja2

from readinglist.sources.link_records import LinkRecord
from readinglist.sources.resource import Resource
from readinglist.sources.snippet import Snippet

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


# Where Material writes a script into a page. Others would be found by the tests, in the browser.
TEMPLATES = ("base", "palette", "content")


SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def theme_scripts(env: jinja2.Environment, **context: object) -> list[str]:
    """The scripts that the theme writes into a page of this context."""
    partials = (env.get_template(f"partials/javascripts/{name}.html") for name in TEMPLATES)
    return [script for partial in partials for script in SCRIPT.findall(partial.render(context))]


def content_policy(scripts: Iterable[str]) -> str:
    """The policy of a page in which these scripts, and no others, stand within its HTML."""
    sums = " ".join(f"'sha256-{_sum(script)}'" for script in scripts)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {sums}",
            "worker-src 'self'",
            # Figures, formulas and tables carry their looks in attributes.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "media-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "frame-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
        ]
    )


def _sum(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
