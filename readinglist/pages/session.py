"""From a project's folder to everything its pages can show: read, check, run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from readinglist.running.background import Background
from readinglist.running.project_runs import make_runner, run_snippets
from readinglist.running.store import Run, key
from readinglist.sources.catalog import Catalog, read_catalog
from readinglist.sources.link_records import LinkRecord
from readinglist.sources.palette import _palette
from readinglist.sources.snippet import Snippet


@dataclass(frozen=True)
class Session:
    """The catalog, with a run of every snippet in it."""

    catalog: Catalog
    shelf: Shelf
    fresh: frozenset[str] = frozenset()  # snippets that this build has run

    @property
    def links(self) -> dict[str, LinkRecord]:
        return self.catalog.links


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


@dataclass(frozen=True)
class Shelf:
    """What pages may embed."""

    snippets: dict[str, Snippet]
    runs: dict[str, Run]
    drawings: Path
    palette: dict[str, str]
