"""What a build does and leaves alone, and what it states at the foot of each page."""

import json
import math
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROOF = re.compile(
    r"Computed on (?P<date>\d{4}-\d\d-\d\d) with (?:torch (?P<torch>\S+) and )?"
    r"Python (?P<python>\S+): "
    r"(?P<snippets>\d+) snippets? in (?P<seconds>[\d.]+) seconds, "
    r"(?P<assertions>\d+) assertions? held\."
)
WARM_SECONDS = 10
COLD_SHARE = 0.65
CHECK_SECONDS = 3
# Work of the kind that a build consists of, and what a machine that the limits suit needs for it.
PROBE = r"import markdown; markdown.markdown('A *line* with `code` and [a link](a.md).\n\n' * 6000)"
PROBE_SECONDS = 0.6


@pytest.fixture(scope="module")
def slowness(project) -> float:
    """How many times as long a slow machine takes; 1 for any other."""
    return max(1, _seconds(project, "-c", PROBE) / PROBE_SECONDS)


@pytest.mark.timing
def test_a_cold_build_uses_all_cores(built, site, measured):
    """The build of the tested site is the cold one, when no run is stored, as on a clean clone.

    `make test` runs this first and alone: the two halves of the tests that follow would take the
    cores from the snippets.
    """
    runs = json.loads((site.folder / "status.json").read_text(encoding="utf-8"))
    cold = [name for name, run in runs.items() if run["cache"] == "run by this build"]
    if len(cold) < len(runs):
        pytest.skip(f"{len(cold)} of {len(runs)} snippets had to run: only all tell of the cores")
    total = sum(run["seconds"] for run in runs.values())
    share = built.seconds / total
    measured(
        f"cold build: {built.seconds:.1f} s for {len(runs)} snippets of {total:.1f} s together,"
        f" a share of {share:.2f} (at most {COLD_SHARE} on two cores)"
    )
    if (os.cpu_count() or 1) < 2:
        pytest.skip("a single core cannot run two snippets at once")
    assert share <= COLD_SHARE, "the snippets do not run side by side, longest first"


@pytest.mark.timing
def test_a_warm_build_runs_nothing_and_is_quick(
    built, project, build, stored_runs, tmp_path, measured, slowness
):
    before = _runs(stored_runs)
    warm = build(project, tmp_path / "site")
    assert warm.status == 0, warm.output
    assert before
    assert _runs(stored_runs) == before
    limit = WARM_SECONDS * slowness
    measured(f"warm build: {warm.seconds:.1f} s (at most {limit:.1f})")
    assert warm.seconds <= limit, "something is made anew in every build"


def _runs(cache: Path) -> dict[str, int]:
    """Each stored run, by its path in the cache, and when it was written."""
    paths = (cache / "runs").glob("*/*/run.json")
    return {str(path.relative_to(cache)): path.stat().st_mtime_ns for path in paths}


@pytest.mark.timing
def test_check_says_in_seconds_that_all_pages_are_in_order(project, measured, slowness):
    check = _seconds(project, "-m", "readinglist", "check")
    limit = CHECK_SECONDS * slowness
    measured(f"check of the whole project: {check:.1f} s (at most {limit:.1f})")
    assert check <= limit


def _seconds(project, *arguments):
    """The shortest of three runs; the first also compiles the modules of the copy."""
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        ended = subprocess.run(
            [sys.executable, *arguments], cwd=project, capture_output=True, text=True, check=False
        )
        seconds.append(time.monotonic() - start)
        assert ended.returncode == 0, ended.stderr
    return min(seconds)


def test_each_page_ends_with_the_proof_of_its_runs(site, catalog, shown_by):
    every = list(catalog.snippets)
    for path in site.pages:
        names = [Path(path).stem] if path in site.snippet_pages else shown_by[path] or every
        runs = [catalog.runs[name] for name in names]
        (proof,) = site.html(path).xpath("//article//p[@class='proof']")
        text = " ".join(proof.text_content().split())
        stated = PROOF.fullmatch(text)
        assert stated, f"{path}: the proof reads '{text}'"
        torch = next((run.versions["torch"] for run in runs if "torch" in run.versions), None)
        assert stated.groupdict() == {
            "date": min(run.date for run in runs),
            "torch": torch,
            "python": runs[0].versions["python"],
            "snippets": str(len(runs)),
            "seconds": f"{math.fsum(run.seconds for run in runs):.1f}",
            "assertions": str(sum(run.assertions for run in runs)),
        }, path
