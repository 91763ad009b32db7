"""How fast the site builds beside its peers: `make benchmark-build` prints it.

Ours and the peers take turns on the same snippets, so that a machine whose speed drifts drifts for
all. Each figure is the median of the rounds, in seconds of the wall clock. Other work on the
machine makes them longer, so how busy it was before and after is printed too. What a peer is given
stands in peers.py. Snippets whose runs are not stored run first, and are not counted.

- `unchanged`: a build that runs nothing, of a site with a few snippets and of the whole site;
- `cold`: the few snippets with nothing stored, beside sphinx-gallery. Each at its own defaults:
  sphinx-gallery runs all examples in one process, we run each in its own, several at once;
- `serve`: how long a saved change of the whole site takes to be in the page that a server of ours
  hands out. For a snippet, the seconds that its run took, as the site states them, are taken off.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from peers import Floor, Gallery, Stock
from projects import QUICKEST, Project, environment, small_project, whole_project

PARTS = ("unchanged", "cold", "serve")
OURS, FLOOR, GALLERY = "ours", "MkDocs and Material alone", "sphinx-gallery"
OF_FLOOR, OF_GALLERY = 0.8, 1.0  # shares of the peer's seconds
PROSE_SECONDS, RESULT_SECONDS = 1.0, 2.0
PAUSE, PATIENCE = 0.05, 120.0  # between two looks at a page, and for all of them
EDITED_PAGE, EDITED_SNIPPET = "resources/understanding-lstm-networks", "perplexity"
ADDED_CELL = '\n# %% measured\nprint("measured", 6 * {number})\n'


@dataclass(frozen=True)
class Row:
    """A line of the table: ours beside another's seconds, or beside those that are wanted."""

    what: str
    ours: float
    peer: str
    other: float
    wanted: float | None  # at most this share of the other's

    @property
    def held(self) -> bool:
        return self.wanted is None or self.ours <= self.wanted * self.other

    def __str__(self) -> str:
        wanted = "" if self.wanted is None else f"{self.wanted:.2f}"
        figures = f"{self.ours:8.2f} {self.other:8.2f} {self.ours / self.other:6.2f} {wanted:>6}"
        return f"{self.what:30} {figures}   {self.peer}"


def in_turns(builds: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median seconds of each build."""
    measured: dict[str, list[float]] = {name: [] for name in builds}
    for _ in range(rounds):
        for name, build in builds.items():
            measured[name].append(build())
            print(f"  {name}: {measured[name][-1]:.2f} s", file=sys.stderr)
    return {name: statistics.median(seconds) for name, seconds in measured.items()}


def unchanged(
    project: Project, work: Path, rounds: int, gallery: Gallery | None = None
) -> Iterator[Row]:
    """Builds that run nothing and find what earlier ones have stored."""
    builds = {
        OURS: project.build,
        FLOOR: Floor(project, work / f"{project.folder.name}-floor").build,
        "stock mkdocs-jupyter": Stock(project, work / f"{project.folder.name}-stock").build,
    }
    if gallery:
        builds[GALLERY] = gallery.build
    for build in builds.values():
        build()  # once to store what it can
    measured = in_turns(builds, rounds)
    ours = measured.pop(OURS)
    for peer, seconds in measured.items():
        wanted = OF_FLOOR if peer == FLOOR else None
        yield Row(f"unchanged, {project.label}", ours, peer, seconds, wanted)


def cold(project: Project, work: Path, rounds: int, gallery: Gallery) -> Iterator[Row]:
    """Builds that run every snippet."""

    def build() -> float:
        with tempfile.TemporaryDirectory(dir=work) as cache:
            return project.build(Path(cache))

    measured = in_turns({OURS: build, GALLERY: gallery.build_cold}, rounds)
    what = f"cold, {project.label}"
    yield Row(what, measured[OURS], GALLERY, measured[GALLERY], OF_GALLERY)


def serve(project: Project, rounds: int) -> Iterator[Row]:
    """Saved changes of prose and of a snippet, until the served page shows them."""
    prose = project.folder / "docs" / f"{EDITED_PAGE}.md"
    snippet = project.folder / "snippets" / f"{EDITED_SNIPPET}.py"
    text, code = prose.read_text(encoding="utf-8"), snippet.read_text(encoding="utf-8")
    shown, overheads = [], []
    with served(project) as url:
        for number in range(1, rounds + 1):
            sentence = f"This was change {number}."
            prose.write_text(f"{text}\n{sentence}\n", encoding="utf-8")
            shown.append(seconds_until(f"{url}{EDITED_PAGE}.html", sentence))
            snippet.write_text(code + ADDED_CELL.format(number=number), encoding="utf-8")
            whole = seconds_until(f"{url}snippets/{EDITED_SNIPPET}.html", f"measured {6 * number}")
            own = json.loads(page(f"{url}status.json"))[EDITED_SNIPPET]["seconds"]
            overheads.append(whole - own)
            print(
                f"  prose {shown[-1]:.2f} s, result {whole:.2f} s, of which run {own:.2f} s",
                file=sys.stderr,
            )
    limit = "the limit, in seconds"
    yield Row("served, saved prose", statistics.median(shown), limit, PROSE_SECONDS, 1.0)
    what = "served, result after its run"
    yield Row(what, statistics.median(overheads), limit, RESULT_SECONDS, 1.0)


@contextmanager
def served(project: Project) -> Iterator[str]:
    """The address under which the project is served, once every page is there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    url = f"http://{address}/"
    command = [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--dev-addr", address]
    settings = environment(SITE_URL=url, RECURRENT_CACHE=str(project.cache))
    with subprocess.Popen(command, cwd=project.folder, env=settings) as server:
        try:
            seconds_until(url, "</html>")
            yield url
        finally:
            server.send_signal(signal.SIGINT)


def seconds_until(url: str, text: str) -> float:
    """How long it takes from now until the page holds the text."""
    start = time.perf_counter()
    while (passed := time.perf_counter() - start) < PATIENCE:
        with suppress(OSError):  # the server has not started, or the page is being written
            if text in page(url):
                return time.perf_counter() - start
        time.sleep(PAUSE)
    sys.exit(f"{url} does not show {text!r} after {passed:.0f} s")


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read().decode()


def rows(parts: list[str], rounds: int, count: int, work: Path) -> Iterator[Row]:
    """The lines of the parts that are asked for."""
    if {"unchanged", "cold"} & set(parts):
        small = small_project(work, count)
        small.build()
        gallery = Gallery(small, work / "gallery")
        if "unchanged" in parts:
            yield from unchanged(small, work, rounds, gallery)
        if "cold" in parts:
            yield from cold(small, work, rounds, gallery)
    if {"unchanged", "serve"} & set(parts):
        whole = whole_project(work)
        whole.build()
        if "unchanged" in parts:
            yield from unchanged(whole, work, rounds)
        if "serve" in parts:
            yield from serve(whole, rounds)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3, help="rounds (3 unless told)")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="parts to measure")
    most = len(QUICKEST)
    parser.add_argument(
        "--snippets", type=int, choices=range(1, most + 1), default=most, metavar="N",
        help=f"snippets of the small site ({most} unless told)",
    )  # fmt: skip
    return parser.parse_args()


def main() -> int:
    """Measures, prints, and fails if a limit is missed."""
    chosen = options()
    busy = psutil.cpu_percent(interval=2)
    with tempfile.TemporaryDirectory(prefix="build-speed-") as work:
        table = list(rows(chosen.only, chosen.repeats, chosen.snippets, Path(work)))
    then = psutil.cpu_percent(interval=2)
    print(f"{os.cpu_count()} cores, with other work {busy:.0f}% busy before and {then:.0f}% after")
    print(f"{'seconds, medians':30} {'ours':>8} {'other':>8} {'ratio':>6} {'wanted':>6}")
    print(*table, sep="\n")
    return 0 if all(row.held for row in table) else 1


if __name__ == "__main__":
    sys.exit(main())
