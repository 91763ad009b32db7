"""What a build does and leaves alone, and what it states at the foot of each page."""

import json
import math
import os
import re
import shutil
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


def _runs(cache: Path) -> dict[str, tuple[int, bytes]]:
    """Each stored run, by its path in the cache: when it was written, and what it says."""
    paths = (cache / "runs").glob("*/*/run.json")
    return {str(p.relative_to(cache)): (p.stat().st_mtime_ns, p.read_bytes()) for p in paths}


def _ran(before: dict, after: dict) -> set[str]:
    """The names of the snippets that ran between the two."""
    return {Path(path).parts[1] for path, run in after.items() if before.get(path) != run}


@pytest.fixture(scope="session")
def warm_cache(site, cache, tmp_path_factory) -> Path:
    """A copy of the cache that has everything the tested sources need."""
    return shutil.copytree(cache, tmp_path_factory.mktemp("warm") / "cache", symlinks=True)


@pytest.fixture(scope="session")
def cold(site, project, build, tmp_path_factory):
    """The build that starts with nothing, made once, and its cache."""
    folder = tmp_path_factory.mktemp("cold")
    built = build(project, folder / "site", folder / "cache")
    assert built.status == 0, built.output
    return built, folder / "cache"


@pytest.fixture
def workshop(tmp_path, project, warm_cache) -> tuple[Path, Path]:
    """A copy of the project and one of the warm cache, to change and to build."""
    shutil.copytree(warm_cache, tmp_path / "cache", symlinks=True)
    return shutil.copytree(project, tmp_path / "project"), tmp_path / "cache"


@pytest.fixture(scope="module")
def slowness(project) -> float:
    """How many times as long a slow machine takes; 1 for any other."""
    return max(1, _seconds(project, "-c", PROBE) / PROBE_SECONDS)


def test_a_warm_build_runs_nothing_and_is_quick(workshop, build, tmp_path, measured, slowness):
    project, cache = workshop
    before = _runs(cache)
    built = build(project, tmp_path / "site", cache)
    assert built.status == 0, built.output
    assert before
    assert _ran(before, _runs(cache)) == set()
    limit = WARM_SECONDS * slowness
    measured(f"warm build: {built.seconds:.1f} s (at most {limit:.1f})")
    assert built.seconds <= limit, "something is made anew in every build"


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


def test_a_cold_build_uses_all_cores(cold, session, measured):
    built, cache = cold
    runs = [json.loads(content) for _, content in _runs(cache).values()]
    assert len(runs) == len(session.catalog.snippets), "every snippet runs once, whatever shows it"
    total = sum(run["seconds"] for run in runs)
    share = built.seconds / total
    measured(
        f"cold build: {built.seconds:.1f} s for {len(runs)} snippets of {total:.1f} s together,"
        f" a share of {share:.2f} (at most {COLD_SHARE} on two cores)"
    )
    if (os.cpu_count() or 1) < 2:
        pytest.skip("a single core cannot run two snippets at once")
    assert share <= COLD_SHARE, "the snippets do not run side by side, longest first"


def test_a_cold_build_gives_the_same_pages(cold, site):
    """Only times, dates and where a run came from may differ between two builds of one commit."""
    built, _ = cold
    for path in [*site.pages, "404.html"]:
        one, other = (_timeless((root / path).read_text()) for root in (site.folder, built.folder))
        different = [pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]]
        assert not different, f"{path}: a run gives now this, now that:\n" + "\n".join(
            line.strip()[:300] for line in different[0]
        )
        assert len(one) == len(other), path


def _timeless(html: str) -> list[str]:
    html = re.sub(
        r'<div class="timed">.*?<p>Measured when.*?</div>', "TIMED", html, flags=re.DOTALL
    )
    html = re.sub(r"\d+\.\d (seconds|s on one core)", r"N \1", html)
    html = re.sub(r'(<td class="number">)\d+\.\d<', r"\1N<", html)
    html = re.sub("stored by an earlier build|run by this build", "STORED OR RUN", html)
    return re.sub(r"\d{4}-\d\d-\d\d", "DATE", html).splitlines()


def test_an_edit_of_prose_runs_nothing(workshop, build, tmp_path, site, session):
    project, cache = workshop
    before = _runs(cache)
    page = project / "docs" / site.resource_pages[0].replace(".html", ".md")
    page.write_text(page.read_text() + "\n\nA sentence that the page did not have.\n")
    name = next(iter(session.catalog.snippets))
    snippet = project / "snippets" / f"{name}.py"
    snippet.write_text(
        snippet.read_text() + "\n# %% [markdown]\n# A remark that nobody had made.\n"
    )
    built = build(project, tmp_path / "site", cache)
    assert built.status == 0, built.output
    assert _ran(before, _runs(cache)) == set()
    shown = (tmp_path / "site" / site.resource_pages[0]).read_text()
    assert "A sentence that the page did not have." in shown
    for file in (f"snippets/{name}.html", f"downloads/{name}.ipynb", f"downloads/{name}.py"):
        assert "A remark that nobody had made." in (tmp_path / "site" / file).read_text(), file


def test_an_edit_of_one_cell_runs_that_snippet_alone(workshop, build, tmp_path, session):
    project, cache = workshop
    before = _runs(cache)
    name = min(session.shelf.runs, key=lambda name: session.shelf.runs[name].seconds)
    cell = list(session.catalog.snippets[name].code.values())[-1]
    snippet = project / "snippets" / f"{name}.py"
    assert snippet.read_text().count(cell.source) == 1
    snippet.write_text(
        snippet.read_text().replace(cell.source, f'{cell.source}\nprint("edited", 6 * 7)')
    )
    built = build(project, tmp_path / "site", cache)
    assert built.status == 0, built.output
    assert _ran(before, _runs(cache)) == {name}
    assert "edited 42" in (tmp_path / "site" / "snippets" / f"{name}.html").read_text()


def test_each_page_ends_with_the_proof_of_its_runs(site, session, shown_by):
    every = list(session.catalog.snippets)
    for path in site.pages:
        names = [Path(path).stem] if path in site.snippet_pages else shown_by[path] or every
        runs = [session.shelf.runs[name] for name in names]
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
