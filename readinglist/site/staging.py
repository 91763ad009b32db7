"""A build takes place beside the site and replaces it in one step when it has succeeded."""

import atexit
import fcntl
import os
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
    """Puts `built` in the place of `site`; if that fails, the last good site is back."""
    old = site.with_name(f".site-old-{os.getpid()}")
    folder = os.open(site.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # waits for other builds that put their site here
        if site.exists():
            site.rename(old)
        built.rename(site)
    except BaseException:
        # An interrupt between the two steps must not cost the last good site.
        if old.exists():
            old.rename(site)
        raise
    else:
        shutil.rmtree(old, ignore_errors=True)
    finally:
        os.close(folder)
