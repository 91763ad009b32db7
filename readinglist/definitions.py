"""What a snippet defines, without running it: for tests and benchmarks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import jupytext

from readinglist.snippet import FORMAT


def definitions(path: Path) -> SimpleNamespace:
    """The names that the snippet's cells without the tag `demo` define; no other cell runs."""
    cells = jupytext.read(path, fmt=FORMAT).cells
    kept = [
        cell.source
        for cell in cells
        if cell.cell_type == "code" and "demo" not in cell.metadata.get("tags", [])
    ]
    namespace: dict[str, object] = {"__name__": path.stem}
    exec(compile("\n\n".join(kept), str(path), "exec", dont_inherit=True), namespace)
    return SimpleNamespace(**namespace)
