"""What is wrong, where, and what to do about it: the only kind of error a contributor sees."""

import difflib
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")
LONGEST_LIST = 40  # names that a message tells


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake: where it stands, what was found and allowed, and the remedy."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{place}: {self.message}"


class Faults(Exception):
    """Every fault of one pass, reported together."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def within(self, root: Path) -> Self:
        """The same faults with paths as a contributor types them, from the project's root."""
        return type(self)(
            replace(fault, path=fault.path.relative_to(root))
            if fault.path.is_relative_to(root)
            else fault
            for fault in self.faults
        )

    def listed(self) -> str:
        """How many there are, and each on lines of its own."""
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        return f"{count}.\n{textwrap.indent(str(self), '  ')}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a 'there is no ...' message: which known name is meant, and what exists."""
    known = sorted(known)
    listed = ", ".join(known[:LONGEST_LIST]) or "nothing"
    if len(known) > LONGEST_LIST:
        listed += f" and {len(known) - LONGEST_LIST} more"
    if close := difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        return f"did you mean '{close[0]}'? It has: {listed}"
    return f"it has: {listed}"


def look_up(known: Mapping[str, T], name: str, otherwise: str) -> T:
    """What goes by this name.

    Raises:
        ValueError: `otherwise`, which name is meant, and what exists.
    """
    if name not in known:
        raise ValueError(f"{otherwise}; {nearest(name, known)}")
    return known[name]


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        Faults: it is not UTF-8.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"this is not UTF-8: the byte 0x{content[error.start]:02x}"
        raise Faults([Fault(path, line, f"{what}; save the file as UTF-8")]) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def line_of(path: Path, pattern: str) -> int:
    """The line of the first match of a pattern in a file, or 0."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    match = re.search(pattern, text + "\n")
    return text.count("\n", 0, match.start()) + 1 if match else 0


def line_of_link(path: Path, link: str) -> int:
    """The line of the first link to `link` on a page, as Markdown or HTML writes one, or 0."""
    return line_of(path, rf"""(?:\]\(<?|["']|\]:\s*<?|<){re.escape(link)}[)>"'\s]""")
