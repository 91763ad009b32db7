"""The site keeps to itself: nothing comes from elsewhere, nothing fails, nothing tells on us."""

import os
import re
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ELSEWHERE = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)


def test_a_page_asks_for_nothing_elsewhere_and_all_goes_well(opened):
    """At a desk the pages come from a server, on a phone from a folder."""
    for path, record in opened.items():
        told = f"{path}, {record.where}"
        assert record.address in record.asked
        assert any(url.endswith(".css") for url in record.asked), f"{told} asks for no style"
        own = (record.root, "data:", "blob:")
        outside = [url for url in record.asked if not url.startswith(own)]
        assert not outside, f"{told} asks for what is not of this site: {outside}"
        assert not record.faults, f"{told}:\n" + "\n".join(record.faults)


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
    for path in site.opened_pages:
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


def test_the_built_files_name_no_path_of_this_machine(site, project, stored_runs):
    whole = [ROOT, project, stored_runs, site.folder.parent, Path.home()]
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
