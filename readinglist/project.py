"""Where the parts of a project are."""

from __future__ import annotations

import os
from pathlib import Path

RECORD = "status.json"


def cache_folder(root: Path) -> Path:
    """Where runs are kept: `.cache` in the project, unless RECURRENT_CACHE names another folder."""
    return Path(os.environ.get("RECURRENT_CACHE") or root / ".cache")
