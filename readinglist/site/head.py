"""The scripts within a page, as the policy in its head names them for browsers."""

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache

import jinja2

# Where Material writes a script into a page. Others would be found by the tests, in the browser.
WITH_SCRIPT = ("base", "palette", "content")
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def script_sums(env: jinja2.Environment, **context: object) -> Callable[[str], str]:
    """The sums of the scripts that Material writes into a page, by its way to the root.

    The policy allows these, and files of this site: others, a browser does not run.
    """

    @cache  # pages at one depth have the same
    def sums(base_url: str) -> str:
        partials = (env.get_template(f"partials/javascripts/{n}.html") for n in WITH_SCRIPT)
        html = "".join(partial.render(base_url=base_url, **context) for partial in partials)
        digests = (hashlib.sha256(script.encode()).digest() for script in SCRIPT.findall(html))
        return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)

    return sums
