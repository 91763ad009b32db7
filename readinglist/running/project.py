"""A project with a run of every snippet: opened for a build, or for the server."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from readinglist.faults import Fault, Faults
from readinglist.running.background import Background
from readinglist.running.run_checks import run_faults
from readinglist.running.runner import Runner
from readinglist.running.store import Cache, Run
from readinglist.settings import cache_folder
from readinglist.sources.catalog import Catalog, read_catalog
from readinglist.sources.snippet import Snippet


@dataclass(frozen=True)
class Project(Catalog):
    """Everything that pages can show: what is written, and the runs."""

    runs: dict[str, Run] = field(default_factory=dict)  # of each snippet, by name
    fresh: frozenset[str] = frozenset()  # snippets that this build has run


def open_project(root: Path) -> Project:
    """Reads the project at `root` and runs the snippets whose results are not stored.

    Raises:
        Faults: everything wrong with the snippets, the resources or the runs.
    """
    catalog = read_catalog(root)
    runner, snippets = make_runner(catalog), catalog.snippets.values()
    fresh = {s.name for s in snippets if not runner.cache.holds(s.name, runner.key(s))}
    runs = run_snippets(catalog, snippets)
    return Project(**vars(catalog), runs=runs, fresh=frozenset(fresh))


def open_served_project(root: Path, background: Background) -> Project:
    """The project at `root` with the runs there are; the rest is run in the background.

    Raises:
        Faults: everything wrong with the snippets or the resources.
    """
    catalog = read_catalog(root)
    return Project(**vars(catalog), runs=background.runs(catalog, partial(make_runner, catalog)))


def make_runner(catalog: Catalog) -> Runner:
    """The runner with the project's cache, and its colours in the style of figures."""
    style = (catalog.root / "theme" / "matplotlibrc").read_text(encoding="utf-8")
    if colours := ", ".join(f"'{colour[1:]}'" for colour in catalog.palette.values()):
        style += f'axes.prop_cycle: cycler("color", [{colours}])\n'
    return Runner(Cache(cache_folder(catalog.root) / "runs"), style)


def run_snippets(catalog: Catalog, snippets: Collection[Snippet]) -> dict[str, Run]:
    """The runs of these snippets, by name, each fit to be shown.

    Raises:
        Faults: everything wrong with the runs.
    """
    runner = make_runner(catalog)
    faults: list[Fault] = []
    try:
        runs = runner.run(snippets)
    except Faults as error:
        faults += error.faults
        runs = {s.name: run for s in snippets if (run := runner.stored(s))}
    faults += [f for s in snippets if s.name in runs for f in run_faults(s, runs[s.name])]
    if faults:
        raise Faults(faults)
    return runs


def status(project: Project) -> dict[str, dict[str, Any]]:
    """Each snippet's run without its outputs, which its notebook has."""
    record: dict[str, dict[str, Any]] = {}
    for name, run in sorted(project.runs.items()):
        state = "run by this build" if name in project.fresh else "stored by an earlier build"
        snippet = project.snippets[name]
        record[name] = {
            "date": run.date,
            "seconds": run.seconds,
            "assertions": run.assertions,
            "cache": "not run yet" if run.pending else state,
            "versions": run.versions,
            "warnings": run.warnings,
            "deprecations": snippet.deprecations,
            "timed": [cell.name for cell in snippet.code.values() if cell.timed],
        }
    return record


def forget(root: Path) -> None:
    """Removes what the build keeps, and nothing else: the folder may hold other things as well."""
    for part in ("runs", "kept", "templates", "served"):
        shutil.rmtree(cache_folder(root) / part, ignore_errors=True)
