"""Keeps what a snippet's run produced, under a key that names everything the result depends on.

jupyter-cache was the alternative. Its key holds a notebook's code but not its environment, so a new
torch would show old results; and it cannot keep the values, the files and the time of a run. These
few lines can.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from readinglist.faults import Fault, Faults
from readinglist.sources.dependencies import installed_version
from readinglist.sources.snippet import Snippet


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


def environment(snippet: Snippet) -> dict[str, str]:
    """Versions of Python, of the machine and of each installed package that the snippet imports."""
    versions = {name: installed_version(name) or "" for name in sorted(snippet.dependencies)}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


def key(snippet: Snippet, runner: str) -> str:
    """Changes when the snippet's code, its environment or the runner does; prose does not count."""
    code = [[cell.name, cell.source] for cell in snippet.cells if not cell.markdown]
    content = json.dumps([code, environment(snippet), runner])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


SUM = hashlib.sha256().digest_size


REMEDY = "free some space, or name another folder in the variable RECURRENT_CACHE"


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turns a full disk or a missing permission into a fault that says what to do."""
    try:
        yield
    except OSError as error:
        message = f"cannot write the cache: {error.strerror or error}; {REMEDY}"
        raise Faults([Fault(folder, 0, message)]) from error


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """What `path` holds, made and put there in one step if it is not there yet or damaged."""
    with suppress(OSError):
        stored = path.read_bytes()
        if hashlib.sha256(stored[SUM:]).digest() == stored[:SUM]:
            return stored[SUM:]
    made = make()
    with writable(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
            partial = Path(folder, path.name)
            partial.write_bytes(hashlib.sha256(made).digest() + made)
            partial.replace(path)
    return made


class Cache:
    """A folder with one entry a run: `<snippet>/<key>/{run.json, notebook.ipynb, files/}`.

    An entry is written under a temporary name and renamed when it is complete, so that an
    interrupt, a full disk or a second build at the same time never leaves half of one. Its parts
    are summed up in run.json: an entry that does not match its sums counts as absent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def holds(self, name: str, key: str) -> bool:
        """Whether there is an entry; only `load` tells if it is whole."""
        return (self.folder / name / key / "run.json").exists()

    def load(self, name: str, key: str) -> Run | None:
        """The stored run, or None if there is none or it is damaged."""
        entry = self.folder / name / key
        try:
            record = json.loads((entry / "run.json").read_text(encoding="utf-8"))
            if record.pop("sums") != dict(_sums(entry)):
                return None
            # The sums have vouched for the file: no need of nbformat's validation, which is slow.
            notebook = nbformat.v4.reads_json(
                (entry / "notebook.ipynb").read_text(encoding="utf-8")
            )
            return Run(**record, notebook=notebook, files=dict(_files(entry / "files")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def store(self, name: str, key: str, run: Run) -> Run:
        """Stores a run, and returns it as it will be loaded."""
        with writable(self.folder):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=self.folder))
            try:
                self._write(partial, run)
                entry = self.folder / name / key
                if self.load(name, key) is None:
                    shutil.rmtree(entry, ignore_errors=True)
                    _rename(partial, entry)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        if (stored := self.load(name, key)) is None:
            raise Faults(
                [Fault(self.folder, 0, f"the entry of '{name}' cannot be read back; {REMEDY}")]
            )
        return stored

    def check(self) -> None:
        """Raises Faults if nothing can be stored here: better before the runs than after."""
        with writable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder) as file:
                file.write(b"0" * 4096)

    def seconds(self, name: str) -> float | None:
        """How long the newest stored run of a snippet took, whatever its key."""
        # A second build may replace an entry at any moment, and an entry may be damaged.
        try:
            records = (self.folder / name).glob("*/run.json")
            newest = max(records, key=lambda path: path.stat().st_mtime)
            return float(json.loads(newest.read_text(encoding="utf-8"))["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def _write(folder: Path, run: Run) -> None:
        nbformat.write(run.notebook, folder / "notebook.ipynb")
        for name, path in run.files.items():
            target = folder / "files" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        record = {k: v for k, v in asdict(run).items() if k not in ("notebook", "files")}
        record["sums"] = dict(_sums(folder))
        (folder / "run.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _rename(partial: Path, entry: Path) -> None:
    try:
        os.rename(partial, entry)
    except OSError:
        # A second build stored the same entry in the meantime: it is as good as ours.
        if not (entry / "run.json").exists():
            raise


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _sums(entry: Path) -> Iterator[tuple[str, str]]:
    for name, path in _files(entry):
        if name != "run.json":
            yield name, hashlib.sha256(path.read_bytes()).hexdigest()
