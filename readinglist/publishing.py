"""A build takes place beside the site and replaces it in one step when it has succeeded."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


def staging_folder(site: Path) -> Path:
    """An empty folder on the same disk as `site`, gone when this process ends."""
    site.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".site-new-", dir=site.parent))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def publish(built: Path, site: Path) -> None:
    """Puts `built` in the place of `site`; of two builds that end at once, the last one stays."""
    old = Path(tempfile.mkdtemp(prefix=".site-old-", dir=site.parent))
    try:
        for attempt in range(10):
            if site.exists():
                site.rename(old / str(attempt))
            try:
                built.rename(site)
                return
            except OSError:
                if not site.exists():
                    raise
        raise OSError(
            f"{site} is replaced again and again by another build; stop it and build again"
        )
    finally:
        shutil.rmtree(old, ignore_errors=True)
