"""The runs of a project: made, kept and forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from readinglist.faults import Fault, Faults
from readinglist.project import cache_folder
from readinglist.running.run_checks import run_faults
from readinglist.running.runner import Runner
from readinglist.running.store import Cache, Run
from readinglist.sources.catalog import Catalog
from readinglist.sources.palette import _palette, matplotlib_style
from readinglist.sources.snippet import Snippet


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
