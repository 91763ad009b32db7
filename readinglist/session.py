"""From a project's folder to everything its pages can show: read, check, run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from readinglist.cache import Cache
from readinglist.catalog import Catalog, read_catalog
from readinglist.embedding import Shelf
from readinglist.execution import Runner
from readinglist.faults import Faults
from readinglist.figures import matplotlib_style, read_palette
from readinglist.rendering import image_faults


@dataclass(frozen=True)
class Session:
    """The catalog, with a run of every snippet in it."""

    catalog: Catalog
    shelf: Shelf


def cache_folder(root: Path) -> Path:
    """Where runs are kept: `.cache` in the project, unless RECURRENT_CACHE names another folder."""
    return Path(os.environ.get("RECURRENT_CACHE") or root / ".cache")


def make_runner(root: Path) -> Runner:
    """The runner with the project's cache and figure style."""
    style = matplotlib_style(root / "theme", _palette(root))
    return Runner(Cache(cache_folder(root) / "runs"), style)


def open_session(root: Path) -> Session:
    """Reads the project at `root` and runs the snippets whose results are not stored.

    Raises:
        Faults: everything wrong with the snippets, the resources or the runs.
    """
    catalog = read_catalog(root)
    try:
        runs = make_runner(root).run(catalog.snippets.values())
    except Faults as error:
        raise Faults(catalog.relative(error.faults)) from None
    if faults := [f for s in catalog.snippets.values() for f in image_faults(s, runs[s.name])]:
        raise Faults(catalog.relative(faults))
    return Session(
        catalog,
        Shelf(catalog.snippets, runs, root / "docs" / "assets" / "drawings", _palette(root)),
    )


def _palette(root: Path) -> dict[str, str]:
    return read_palette(
        (root / "docs" / "assets" / "css" / "palette.css").read_text(encoding="utf-8")
    )
