"""A build takes place beside the site and replaces it in one step when it has succeeded."""

from __future__ import annotations

import atexit
import errno
import shutil
import tempfile
from contextlib import suppress
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
    aside = Path(tempfile.mkdtemp(prefix=".site-old-", dir=site.parent))
    old = aside / site.name
    try:
        for _ in range(10):
            with suppress(FileNotFoundError):  # there is none yet, or a second build has moved it
                shutil.rmtree(old, ignore_errors=True)
                site.rename(old)
            try:
                built.rename(site)
                return
            except OSError as error:
                # A second build has put its site there meanwhile, and may have moved it since.
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
        raise OSError(
            f"{site} is replaced again and again by another build; stop it and build again"
        )
    except BaseException:
        # An interrupt between the two steps must not cost the last good site.
        if old.exists() and not site.exists():
            old.rename(site)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
