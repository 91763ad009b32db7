"""Each test file gets the definition cells of the snippet it is named after; no demo cell runs."""

import types
from pathlib import Path

import jupytext
import pytest

from readinglist.snippet import FORMAT

SNIPPETS = Path(__file__).parents[2] / "snippets"


@pytest.fixture(scope="module")
def snippet(request) -> types.SimpleNamespace:
    """The names that the definition cells of `snippets/<name>.py` define, for `test_<name>.py`."""
    path = SNIPPETS / f"{request.path.stem.removeprefix('test_')}.py"
    cells = jupytext.read(path, fmt=FORMAT).cells
    definitions = [
        c.source
        for c in cells
        if c.cell_type == "code" and "demo" not in c.metadata.get("tags", [])
    ]
    namespace: dict[str, object] = {"__name__": path.stem}
    exec(compile("\n\n".join(definitions), str(path), "exec"), namespace)
    return types.SimpleNamespace(**namespace)
