"""Runs the tests with pytest: those with limits of seconds alone, then two halves side by side.

Those alone come first. On a clean clone they begin with the build that runs every snippet, on all
cores, and measure it; the halves then find its runs stored. The half that works in the background
is printed when both have ended. The exit status is that of the first that failed.

Usage: python tests/run.py [--slow]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import BinaryIO

SITE = ["tests/site"]
OTHERS = ["tests/readinglist", "tests/snippets"]
# Two processes share the cores: a torch that takes them all for itself would only wait for them.
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def start(marks: str, folders: list[str], log: BinaryIO | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "--durations=20", "-m", marks, *folders]
    errors = None if log is None else subprocess.STDOUT
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=errors)


def run(marks: str, folders: list[str]) -> int:
    with start(marks, folders) as process:
        return process.wait()


def run_side_by_side(marks: str) -> list[int]:
    with tempfile.TemporaryFile() as log:
        with start(marks, OTHERS, log) as others:
            statuses = [run(marks, SITE), others.wait()]
        log.seek(0)
        sys.stdout.buffer.write(log.read())
        sys.stdout.flush()
    return statuses


def main() -> int:
    everything = [*SITE, *OTHERS]
    if sys.argv[1:] == ["--slow"]:
        return run("slow", everything)
    alone = run("timing and not slow", everything)
    return next(filter(None, [alone, *run_side_by_side("not timing and not slow")]), 0)


if __name__ == "__main__":
    sys.exit(main())
