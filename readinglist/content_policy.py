"""The Content-Security-Policy of a page: what a browser may run and load for it.

Scripts are files of this site, and the few lines that Material writes into each page, named by
their sums. So a script that found its way into a page by other means does not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

import jinja2

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
