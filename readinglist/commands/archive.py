"""The whole site as one file, to be read from a folder without a network.

The same commit and the same stored runs give the same bytes, wherever and whenever it is made.
"""

import argparse
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from readinglist.faults import Fault, Faults
from readinglist.running.project import run_snippets
from readinglist.sources.catalog import read_catalog

EARLIEST = 315532800  # the first second that a ZIP file can name: 1 January 1980


def add_command(commands: argparse._SubParsersAction) -> None:
    archive = commands.add_parser("archive", help="the whole site as one file, to read offline")
    archive.add_argument("file", nargs="?", type=Path, help="where it goes, if not here")
    archive.set_defaults(command=write_archive)


def write_archive(options: argparse.Namespace, root: Path) -> None:
    """Runs what is not stored, builds the site, and packs it."""
    # The runs come first: a build tells what it has run itself, which would differ each time.
    catalog = read_catalog(root)
    run_snippets(catalog, catalog.snippets.values())
    name = catalog.settings.slug
    target = options.file or root / f"{name}.zip"
    files = make_archive(root, target, name)
    megabytes = target.stat().st_size / 1e6
    print(f"{target}: {files} files, {megabytes:.1f} MB. Unpack it and open index.html.")


def make_archive(root: Path, target: Path, name: str) -> int:
    """Builds the project at `root` and writes the archive; returns its number of files.

    `name` is that of the one folder in it.

    Raises:
        Faults: the build failed; an archive that was there stays.
    """
    epoch = commit_time(root)
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "NO_MKDOCS_2_WARNING": "1"}
    with TemporaryDirectory(prefix="archive-") as folder:
        site = Path(folder, name)
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(site)]
        if subprocess.run(command, cwd=root, env=environ).returncode:
            message = "the site was not built, and so no archive was; see above"
            raise Faults([Fault(root, 0, message)])
        return pack(site, target, epoch)


def commit_time(root: Path) -> int:
    """SOURCE_DATE_EPOCH, else the time of the last commit, in seconds since 1970."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if process.returncode:
        message = "is in no git repository, whose last commit would date the archive"
        remedy = "set SOURCE_DATE_EPOCH to a number of seconds since 1970"
        raise Faults([Fault(root, 0, f"{message}; {remedy}")])
    return int(process.stdout)


def pack(folder: Path, target: Path, epoch: int) -> int:
    """Packs a folder into a ZIP file in which every file has the same time; counts the files."""
    date = time.gmtime(max(epoch, EARLIEST))[:6]
    partial = target.with_name(f".partial-{target.name}")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(partial, "w") as archive:
        for path in paths:
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), date)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3  # Unix, on whichever system
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
    partial.replace(target)
    return len(paths)
