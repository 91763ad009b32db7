"""Each test file gets the definition cells of the snippet it is named after; no demo cell runs."""

import types
from pathlib import Path

import pytest

from readinglist.sources.snippet import definitions

SNIPPETS = Path(__file__).parents[2] / "snippets"


@pytest.fixture(scope="module")
def snippet(request) -> types.SimpleNamespace:
    """The names that the definition cells of `snippets/<name>.py` define, for `test_<name>.py`."""
    return definitions(SNIPPETS / f"{request.path.stem.removeprefix('test_')}.py")
