"""From a project's folder to everything its pages can show: read, check, run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from readinglist.background import Background
from readinglist.cache import Cache, Run, key
from readinglist.catalog import Catalog, read_catalog
from readinglist.embedding import Shelf
from readinglist.execution import Runner
from readinglist.faults import Fault, Faults
from readinglist.figures import matplotlib_style, read_palette
from readinglist.link_records import LinkRecord
from readinglist.run_faults import run_faults
from readinglist.snippet import Snippet


@dataclass(frozen=True)
class Session:
    """The catalog, with a run of every snippet in it."""

    catalog: Catalog
    shelf: Shelf
    fresh: frozenset[str] = frozenset()  # snippets that this build has run

    @property
    def links(self) -> dict[str, LinkRecord]:
        return self.catalog.links


def cache_folder(root: Path) -> Path:
    """Where runs are kept: `.cache` in the project, unless RECURRENT_CACHE names another folder."""
    return Path(os.environ.get("RECURRENT_CACHE") or root / ".cache")


def forget(root: Path) -> None:
    """Removes what the build keeps, and nothing else: the folder may hold other things as well."""
    for part in ("runs", "fonts", "pages", "templates", "served"):
        shutil.rmtree(cache_folder(root) / part, ignore_errors=True)


def make_runner(root: Path) -> Runner:
    """The runner with the project's cache and figure style."""
    style = matplotlib_style(root / "theme", _palette(root))
    return Runner(Cache(cache_folder(root) / "runs"), style)


def run_snippets(catalog: Catalog, snippets: Iterable[Snippet]) -> dict[str, Run]:
    """The runs of these snippets, by name, each fit to be shown.

    Raises:
        Faults: everything wrong with the runs.
    """
    runner = make_runner(catalog.root)
    snippets = list(snippets)
    faults: list[Fault] = []
    try:
        runs = runner.run(snippets)
    except Faults as error:
        faults += error.faults
        runs = {s.name: run for s in snippets if (run := runner.stored(s))}
    faults += [f for s in snippets if s.name in runs for f in run_faults(s, runs[s.name])]
    if faults:
        raise Faults(catalog.relative(faults))
    return runs


def open_session(root: Path) -> Session:
    """Reads the project at `root` and runs the snippets whose results are not stored.

    Raises:
        Faults: everything wrong with the snippets, the resources or the runs.
    """
    catalog = read_catalog(root)
    runner = make_runner(root)
    keys = {name: key(snippet, runner.version) for name, snippet in catalog.snippets.items()}
    fresh = frozenset(name for name in keys if not runner.cache.holds(name, keys[name]))
    return _session(catalog, run_snippets(catalog, catalog.snippets.values()), fresh)


def open_served_session(root: Path, background: Background) -> Session:
    """The project at `root` with the runs there are; the rest is run in the background.

    Raises:
        Faults: everything wrong with the snippets or the resources.
    """
    catalog = read_catalog(root)
    return _session(catalog, background.runs(catalog, partial(make_runner, root)))


def _session(
    catalog: Catalog, runs: dict[str, Run], fresh: frozenset[str] = frozenset()
) -> Session:
    drawings = catalog.root / "docs" / "assets" / "drawings"
    shelf = Shelf(catalog.snippets, runs, drawings, _palette(catalog.root))
    return Session(catalog, shelf, fresh)


def _palette(root: Path) -> dict[str, str]:
    return read_palette(
        (root / "docs" / "assets" / "css" / "palette.css").read_text(encoding="utf-8")
    )
