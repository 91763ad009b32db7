"""The site keeps to itself: nothing comes from elsewhere, nothing fails, nothing tells on us."""

import os
import re
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ELSEWHERE = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)


@pytest.mark.parametrize("way", ["http", "file"])
def test_a_page_asks_for_nothing_elsewhere_and_all_goes_well(site, new_context, way):
    root = site.url if way == "http" else site.folder.as_uri() + "/"
    page = new_context().new_page()
    faults, asked = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: faults.append(f"{request.url}: {request.failure}"))
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("console", lambda message: faults.append(f"console {message.type}: {message.text}"))
    page.on(
        "response",
        lambda response: (
            faults.append(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    # 404.html is made for a server: its links start at the root.
    for path in [*site.pages, *(["404.html"] if way == "http" else [])]:
        asked.clear()
        page.goto(root + path, wait_until="networkidle")
        assert root + path in asked
        assert any(url.endswith(".css") for url in asked), f"{path} asks for no style"
        outside = [url for url in asked if not url.startswith((root, "data:", "blob:"))]
        assert not outside, f"{path} asks for what is not of this site: {outside}"
        assert not faults, f"{path}, {way}:\n" + "\n".join(faults)


def test_no_page_loads_anything_from_an_address(site):
    loading = "|".join(
        f"//{tag}/@{name}"
        for tag, name in [
            ("script", "src"),
            ("img", "src"),
            ("img", "srcset"),
            ("iframe", "src"),
            ("source", "src"),
            ("source", "srcset"),
            ("video", "src"),
            ("audio", "src"),
            ("object", "data"),
            ("embed", "src"),
            ("image", "href"),
            ("use", "href"),
            ("form", "action"),
        ]
    )
    passive = ("canonical", "prev", "next", "edit", "alternate")
    for path in [*site.pages, "404.html"]:
        html = site.html(path)
        links = [
            link.get("href") for link in html.xpath("//link") if link.get("rel") not in passive
        ]
        addresses = [url for url in [*html.xpath(loading), *links] if ELSEWHERE.match(url)]
        assert not addresses, f"{path} loads {addresses}; put the file into docs/assets/"


def test_no_style_loads_anything_from_an_address(site):
    styles = list(site.folder.rglob("*.css"))
    assert styles
    for path in styles:
        text = path.read_text(encoding="utf-8")
        urls = re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+(\S+)", text)
        addresses = [url for url in urls if ELSEWHERE.match(url.strip("'\""))]
        assert not addresses, f"{path.name} loads {addresses}"
        for url in urls:
            if not url.startswith(("data:", "#")):
                target = (path.parent / url.split("?")[0]).resolve()
                assert target.is_file(), f"{path.name} needs {url}, which is not there"


def test_the_built_files_name_no_path_of_this_machine(site, project, cache):
    whole = [ROOT, project, cache, site.folder.parent, Path.home()]
    # These have something random after their names.
    begun = [Path(tempfile.gettempdir()) / name for name in ("ipykernel", "snippet-", "pages-")]
    wanted = re.compile(
        # What follows must not go on, or a home folder "/root" would be found in "/rooted".
        b"|".join([re.escape(os.fsencode(path)) + rb"(?![\w-])" for path in whole])
        + b"|"
        + b"|".join([re.escape(os.fsencode(path)) for path in begun])
    )
    for path in site.folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if found := wanted.search(content):
            around = content[max(0, found.start() - 60) : found.end() + 60]
            pytest.fail(f"{path.relative_to(site.folder)} names a path: {around!r}")
