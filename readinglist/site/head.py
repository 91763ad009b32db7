"""What stands in the head of a page for programs: the policy of browsers, and linked data."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from readinglist.running.project import Project
from readinglist.sources.resource import Resource
from readinglist.sources.snippet import Snippet

SCHEMA_TYPE = "LearningResource"
SITE_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
CODE_LICENCE = "https://opensource.org/license/mit"
# Where Material writes a script into a page. Others would be found by the tests, in the browser.
WITH_SCRIPT = ("base", "palette", "content")
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def policies(env: jinja2.Environment, **context: object) -> Callable[[str], str]:
    """The Content-Security-Policy of a page, by its way to the root: what may run and load there.

    Scripts are files of this site, and the few lines that Material writes into each page, named by
    their sums. So a script that found its way into a page by other means does not run.
    """

    @cache  # pages at one depth have one policy
    def policy(base_url: str) -> str:
        partials = (env.get_template(f"partials/javascripts/{n}.html") for n in WITH_SCRIPT)
        html = "".join(partial.render(base_url=base_url, **context) for partial in partials)
        return content_policy(SCRIPT.findall(html))

    return policy


def content_policy(scripts: list[str]) -> str:
    """The policy of a page in which these scripts, and no others, stand within its HTML."""
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    sums = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {sums}; worker-src 'self'; "
        # Figures, formulas and tables carry their looks in attributes.
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-src 'self'; "
        "base-uri 'none'; form-action 'self'"
    )


def linked_data(
    project: Project, subject: Resource | Snippet | None, source: str, url: str
) -> Markup:
    """What search engines read of a page, as schema.org's LearningResource; empty for most."""
    if isinstance(subject, Resource):
        data = _annotation(project, subject, url)
    elif isinstance(subject, Snippet):
        data = _learning_resource(subject.title, subject.summary, url, CODE_LICENCE) | {
            "learningResourceType": "example program",
            "teaches": subject.concept,
        }
    elif source == "index.md":
        name, about = project.settings.site_name, project.settings.site_description
        url = project.settings.site_url
        data = _learning_resource(name, about, url) | {
            "learningResourceType": "reading list",
            "hasPart": [
                {"@type": SCHEMA_TYPE, "name": r.title, "url": f"{url}resources/{r.slug}.html"}
                for r in project.resources
                if r.annotated
            ],
        }
    else:
        return Markup()
    # Nothing in it can close the script element that holds it.
    return Markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"))


def _annotation(project: Project, resource: Resource, url: str) -> dict[str, Any]:
    """The page that annotates a resource, and the original that it is about."""
    original = {
        "@type": "ScholarlyArticle" if resource.scholarly else "Article",
        "name": resource.title,
        "author": [{"@type": "Person", "name": name} for name in resource.authors],
        "datePublished": str(resource.published or resource.year),
        "url": str(resource.url),
    }
    if archived := project.archived(resource):
        original["archivedAt"] = archived
    return _learning_resource(f"{resource.title}, annotated", resource.why, url) | {
        "learningResourceType": "annotated reading",
        "educationalLevel": resource.level,
        "timeRequired": f"PT{resource.minutes}M",
        "competencyRequired": resource.prerequisites,
        "teaches": resource.concepts,
        "assesses": resource.outcome,
        "isBasedOn": original,
    }


def _learning_resource(
    name: str, description: str, url: str, licence: str = SITE_LICENCE
) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": SCHEMA_TYPE,
        "name": name,
        "description": description,
        "url": url,
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "license": licence,
    }
