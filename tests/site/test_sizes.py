"""Pages stay small: what a reader on a slow line waits for."""

import gzip
from functools import cache

HTML_LIMIT = 60_000
OWN_LIMIT = 100_000
ALL_LIMIT = 200_000
SHARED = ("assets/javascripts/", "assets/stylesheets/")


def test_the_html_of_a_resource_page_is_small(site, measured):
    for path in site.resource_pages:
        size = len(gzip.compress((site.folder / path).read_bytes()))
        measured(f"{path}: {size:,} bytes of HTML gzipped (at most {HTML_LIMIT:,})")
        assert size <= HTML_LIMIT, f"{path}: fewer points in figures, or fold them into snippets"


def test_all_that_a_page_loads_is_small(site, at_a_desk, measured):
    gzipped = cache(lambda name: len(gzip.compress((site.folder / name).read_bytes())))
    for path in site.pages:
        loaded = {name: gzipped(name) for name in at_a_desk[path].loaded}
        assert path in loaded
        assert any(name.startswith("assets/stylesheets/") for name in loaded), loaded
        total = sum(loaded.values())
        assert not any(name.startswith("search/") for name in loaded), "nobody searches yet"
        # Material's own files are shared by all pages.
        own = sum(size for name, size in loaded.items() if not name.startswith(SHARED))
        measured(f"{path}: {total:,} bytes gzipped in {len(loaded)} files, {own:,} its own")
        sizes = "\n".join(f"  {size:9,} {name}" for name, size in loaded.items())
        assert total <= ALL_LIMIT, f"{path} loads more than {ALL_LIMIT:,} bytes:\n{sizes}"
        if path in site.resource_pages:
            assert own <= OWN_LIMIT, f"{path} loads more than {OWN_LIMIT:,} of its own:\n{sizes}"
