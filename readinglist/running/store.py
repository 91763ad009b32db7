"""Keeps what a snippet's run produced, under a key that names everything the result depends on.

jupyter-cache was the alternative: its key holds a notebook's code but not its environment, so a new
torch would show old results, and it cannot keep the values, the files and the time of a run.
"""

import hashlib
import json
import platform
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

from readinglist.faults import Fault, Faults
from readinglist.settings import REMEDY, writable
from readinglist.sources.dependencies import installed_version
from readinglist.sources.snippet import Snippet

# Raised by hand, with a change of the runner or of the kernel's settings that changes a result.
RUNNER = 1
# What makes an output of what a cell shows.
DISPLAY = ("ipykernel", "ipython", "matplotlib-inline")
NEWEST = 3  # runs of a snippet that are kept: those of a branch and of main, say


@dataclass(frozen=True)
class Run:
    """What one run of a snippet produced."""

    seconds: float
    date: str
    assertions: int
    versions: dict[str, str]
    values: dict[str, dict[str, Any]]
    notebook: nbformat.NotebookNode = field(compare=False)
    files: dict[str, Path] = field(default_factory=dict)
    # Each with its cell, line in the cell, category, message, and whether it is a deprecation.
    warnings: list[dict[str, Any]] = field(default_factory=list)
    pending: bool = False  # whether it has yet to end, or has failed

    @cached_property
    def notebook_file(self) -> str:
        """The text of the notebook's file, without nbformat's validation, which is slow."""
        return nbformat.v4.writes_json(self.notebook) + "\n"


def environment(snippet: Snippet) -> dict[str, str]:
    """Versions of Python, of the machine and of each installed package that the snippet imports."""
    versions = {name: installed_version(name) or "" for name in sorted(snippet.dependencies)}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


def key(snippet: Snippet, style: str) -> str:
    """Changes when the snippet's code, its environment or its display does; prose does not count.

    `style` is that of every figure.
    """
    code = [[cell.name, cell.source] for cell in snippet.cells if not cell.markdown]
    display = [style, *(installed_version(name) for name in DISPLAY)]
    content = json.dumps([RUNNER, code, environment(snippet), display])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


class Cache:
    """A folder with one entry a run: `<snippet>/<key>/{run.json, notebook.ipynb, files/}`.

    An entry is written under a temporary name and renamed when it is complete, so that an
    interrupt, a full disk or a second build at the same time never leaves half of one. One that
    cannot be read counts as absent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def holds(self, name: str, key: str) -> bool:
        """Whether there is an entry; only `load` tells if it can be read."""
        return (self.folder / name / key / "run.json").exists()

    def load(self, name: str, key: str) -> Run | None:
        """The stored run, or None if there is none or it cannot be read."""
        entry = self.folder / name / key
        try:
            record = json.loads((entry / "run.json").read_text(encoding="utf-8"))
            # It was whole when it was stored: no need of nbformat's validation, which is slow.
            notebook = nbformat.v4.reads_json(
                (entry / "notebook.ipynb").read_text(encoding="utf-8")
            )
            return Run(**record, notebook=notebook, files=files_in(entry / "files"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def store(self, name: str, key: str, run: Run) -> Run:
        """Stores a run in the place of the oldest one, and returns it as it will be loaded."""
        entry = self.folder / name / key
        with writable(self.folder):
            entry.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".partial-") as folder:
                partial = Path(folder, key)
                _write(partial, run)
                # There may be one that cannot be read, or that of a second build: it is as good.
                for _ in range(2):
                    with suppress(OSError):
                        partial.rename(entry)
                    if stored := self.load(name, key):
                        break
                    shutil.rmtree(entry, ignore_errors=True)
            for old in _newest_first(entry.parent)[NEWEST:]:
                shutil.rmtree(old, ignore_errors=True)
        if not stored:
            message = f"the entry of '{name}' cannot be read back; {REMEDY}"
            raise Faults([Fault(self.folder, 0, message)])
        return stored

    def check(self) -> None:
        """Raises Faults if nothing can be stored here: better before the runs than after."""
        with writable(self.folder), tempfile.TemporaryFile(dir=self.folder) as file:
            file.write(b"0" * 4096)

    def seconds(self, name: str) -> float | None:
        """How long the newest stored run of a snippet took, whatever its key."""
        # A second build may replace an entry at any moment.
        with suppress(OSError, ValueError, KeyError, TypeError, IndexError):
            newest = _newest_first(self.folder / name)[0] / "run.json"
            return float(json.loads(newest.read_text(encoding="utf-8"))["seconds"])
        return None


def _newest_first(folder: Path) -> list[Path]:
    """The entries of a snippet by the time of their storing."""
    entries = []
    for record in folder.glob("*/run.json"):
        with suppress(OSError):  # a second build has pruned it
            entries.append((record.stat().st_mtime_ns, record.parent))
    return [entry for _, entry in sorted(entries, reverse=True)]


def _write(folder: Path, run: Run) -> None:
    folder.mkdir()
    nbformat.write(run.notebook, folder / "notebook.ipynb")
    for name, path in run.files.items():
        target = folder / "files" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    record = {k: v for k, v in vars(run).items() if k not in ("notebook", "files")}
    (folder / "run.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def files_in(folder: Path) -> dict[str, Path]:
    """Every file in a folder and those below it, by its path from there."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in paths}
