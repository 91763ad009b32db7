"""The projects of ours that are measured: copies, so that nothing here changes meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Those that run quickest. They are named, since a choice by time would be another each time.
QUICKEST = (
    "perplexity", "lstm_step", "gate_order_import", "gru_conventions", "truncated_backpropagation",
    "dropout_placement", "notation", "cell_state_memory", "recurrent_network", "char_rnn_numbers",
    "network_sizes", "speech_features", "vanishing_gradients", "hello_rnn", "ngram_baseline",
)  # fmt: skip
LAYER = ("readinglist", "theme", "mkdocs.yml", "requirements.txt", "requirements-data.txt")
NAV = re.compile(r"^nav:\n(?:[ ].*\n)+", re.MULTILINE)
SMALL_NAV = "nav: [index.md, Resources: resources/, Snippets: snippets/]\n"
INDEX = "# The list\n\n```resources\n```\n\n[The gallery](snippets/index.md)\n"
GALLERY = "# Snippets\n\n```snippets\n```\n"
RESOURCE = """---
title: A resource
authors: [Ada Lovelace]
year: 1997
kind: journal article
venue: A journal
url: https://example.org/original
licence: none stated
citation_key: lovelace1997resource
order: 1
minutes: 10
level: advanced
after: []
prerequisites: [patience]
concepts: [engines]
why: Read it for the notes.
skip: Skip the table.
outcome: Count without a machine.
status: annotated
---
"""


@dataclass(frozen=True)
class Project:
    """Sources of ours, where their runs are stored, and where they are built."""

    label: str
    folder: Path
    cache: Path
    site: Path
    names: Sequence[str]

    def build(self, cache: Path | None = None) -> float:
        """Seconds of a build with the runs of the given cache, or of the project's own."""
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(self.site)]
        return seconds_of(command, self.folder, RECURRENT_CACHE=str(cache or self.cache))[0]


def whole_project(work: Path) -> Project:
    """All of this project, with a copy of its stored runs."""
    folder = work / "whole"
    _copy(folder, *LAYER, "docs", "snippets", "CITATION.cff")
    cache = Path(os.environ.get("RECURRENT_CACHE") or ROOT / ".cache")
    if cache.exists():
        shutil.copytree(cache, work / "whole-cache", symlinks=True)
    names = sorted(path.stem for path in (folder / "snippets").glob("*.py"))
    return Project("whole site", folder, work / "whole-cache", work / "whole-site", names)


def small_project(work: Path, count: int) -> Project:
    """A few snippets with a list, a gallery, and one resource page that shows a cell of each."""
    folder, names = work / "small", QUICKEST[:count]
    _copy(folder, *LAYER, "docs/assets", *(f"snippets/{name}.py" for name in names))
    settings = (folder / "mkdocs.yml").read_text(encoding="utf-8")
    (folder / "mkdocs.yml").write_text(NAV.sub(SMALL_NAV, settings), encoding="utf-8")
    shown = "".join(map(_first_result, names))
    pages = {"index": INDEX, "snippets/index": GALLERY, "resources/one": RESOURCE + shown}
    for name, text in pages.items():
        page = folder / "docs" / f"{name}.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")
    label = f"{len(names)} snippets"
    return Project(label, folder, work / "small-cache", work / "small-site", names)


def _copy(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)


def _first_result(name: str) -> str:
    """A fence with the first cell of a snippet that shows a result."""
    source = (ROOT / "snippets" / f"{name}.py").read_text(encoding="utf-8")
    cell = re.search(r'^# %% (\w+) tags=\["demo"\]', source, re.MULTILINE)
    return f"\n``` cell\n{name}#{cell[1]}\n```\n" if cell else ""


def seconds_of(command: list[str], folder: Path, **settings: str) -> tuple[float, str]:
    """The seconds of a command that must succeed, and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment(**settings), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")
    return seconds, done.stdout


def environment(**settings: str) -> dict[str, str]:
    return {**os.environ, "NO_MKDOCS_2_WARNING": "1", **settings}
