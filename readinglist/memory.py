"""Results that outlive a process: functools.cache for what is slow and made of its arguments."""

import functools
import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from readinglist.settings import cache_folder, writable

Made = TypeVar("Made")


class Memory:
    """What was made, by a digest of what it was made of; between two builds it is one file."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._stored: dict[str, Any] = {}
        self._used: dict[str, Any] = {}

    def open(self, root: Path) -> None:
        """Takes up what an earlier process has saved; what cannot be read is made again."""
        path = cache_folder(root) / "kept" / "memory.json"
        if path != self._path:
            self._path, self._stored = path, {}
            with suppress(OSError, ValueError, TypeError):
                self._stored = dict(json.loads(path.read_text(encoding="utf-8")))

    def recall(self, made_of: Iterable[str], make: Callable[[], Any]) -> Any:
        """What `make` gives, made only if it was not yet made of the same; JSON can hold it."""
        key = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:32]
        if key not in self._used:
            self._used[key] = self._stored[key] if key in self._stored else make()
        return self._used[key]

    def save(self) -> None:
        """Writes in one step what was used since it was opened: the rest is out of date.

        Raises:
            Faults: the folder cannot be written.
        """
        used, self._used = self._used, {}
        if self._path is None or used.keys() == self._stored.keys():
            return
        place = self._path.parent
        with writable(place), tempfile.TemporaryDirectory(dir=place, prefix=".partial-") as new:
            partial = Path(new, self._path.name)
            partial.write_text(json.dumps(used, ensure_ascii=False), encoding="utf-8")
            partial.replace(self._path)
        self._stored = used


MEMORY = Memory()


@functools.cache
def _own_code() -> str:
    """A digest of this package: what one module makes may depend on any other."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def remembered(*packages: str) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """A decorator: remembers the results of a function, by what represents its arguments, as long
    as Python, these packages and our own code stay the same."""

    def decorate(function: Callable[..., Made]) -> Callable[..., Made]:
        @functools.cache
        def made_by() -> list[str]:
            versions = [f"{name} {version(name)}" for name in packages]
            return [function.__qualname__, _own_code(), platform.python_version(), *versions]

        @functools.wraps(function)
        def recall(*arguments: Any) -> Made:
            made_of = (*made_by(), *map(repr, arguments))
            return MEMORY.recall(made_of, lambda: function(*arguments))

        return recall

    return decorate
