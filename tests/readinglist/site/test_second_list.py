"""The package knows nothing of this site's subject: another list uses it with its own files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import lxml.html
import pytest
from builders import record_links, resource_text, snippet_text

SETTINGS = """site_name: Bread
site_url: https://bread.example/
repo_url: https://host.example/bakers/bread
nav: [index.md, Resources: resources/, Snippets: snippets/]
theme:
  name: material
  custom_dir: theme/overrides
  font: false
extra_css: [assets/css/bread.css]
markdown_extensions: [pymdownx.superfences, {{pymdownx.arithmatex: {{generic: true}}}}]
plugins:
  - search
  - mkdocs-jupyter: {{include: ["snippets/*.ipynb"], ignore: ["*.md"], execute: false}}
hooks: [{hook}]
"""
SNIPPET = """# %% hydration tags=["demo"]
water, flour = 350, 500
share = water / flour
print(f"{share:.0%}")
assert share == 0.7"""
PAGE = """
The dough has [[dough.share:.0%]] of \\(\\water{w}\\), said in
[our workshop](https://host.example/bakers/bread/talk).

```cell
dough#hydration
```
"""


@pytest.fixture
def project(root, tmp_path) -> Path:
    """Two resources on bread and a snippet, with the look of this site and nothing else of it."""
    shutil.copytree(root / "theme", tmp_path / "theme")
    pages = {
        "flour": resource_text(PAGE, title="On flour", concepts=["flour"]),
        "salt": resource_text(
            "", title="On salt", status="listed", order=2, citation_key="b1999salt",
            url="https://example.org/salt", after=["flour"],
        ),
    }  # fmt: skip
    texts = {
        "mkdocs.yml": SETTINGS.format(hook=root / "readinglist/site/mkdocs_hook.py"),
        "requirements.txt": "",
        "docs/index.md": "# Bread\n\n```resources\n```\n",
        "docs/snippets/index.md": "# Snippets\n\n```snippets\n```\n",
        "docs/assets/css/palette.css": ":root { --water: #112233; --paper: #ffffff; }",
        "snippets/dough.py": snippet_text(SNIPPET),
        "tests/snippets/test_dough.py": "def test_share(snippet): ...\n",
        **{f"docs/resources/{name}.md": text for name, text in pages.items()},
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for text in pages.values():
        record_links(tmp_path, text.split("said in")[0])
    return tmp_path


def test_another_list_is_checked_and_built(root, project):
    environ = {**os.environ, "PYTHONPATH": str(root), "NO_MKDOCS_2_WARNING": "1"}
    environ["RECURRENT_CACHE"] = str(project / ".cache")
    for command in (["readinglist", "check"], ["mkdocs", "build", "--quiet"]):
        ended = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=project, env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
    page = lxml.html.parse(project / "site/resources/flour/index.html").getroot()
    article = " ".join(page.xpath("//article")[0].text_content().split())
    assert "The dough has 70% of" in article
    assert "Computed on" in article
    assert page.xpath("//math//*[@class='q-water']")
    every = "".join(p.read_text() for p in (project / "site").rglob("*.html")).lower()
    assert "recurrent" not in every
    assert "torch" not in every
