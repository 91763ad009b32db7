"""The same sources build under ProperDocs, a fork of MkDocs 1.x that is kept up, to the same site.

Material ends on 2027-05-05 and MkDocs 1.x is frozen: this keeps the way out open.
"""

import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# All that it needs in turn, MkDocs needs too.
PROPERDOCS = "properdocs==1.6.7"
# The one difference that is meant: Material names the generator with its version in each page.
GENERATOR = re.compile(rb'<meta name="generator" content="mkdocs-[^"]*">')


@pytest.fixture(scope="module", autouse=True)
def properdocs(tmp_path_factory):
    """Puts ProperDocs, in a folder of its own, before the project's packages."""
    folder = tmp_path_factory.mktemp("properdocs")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*command, "--target", str(folder), PROPERDOCS], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        yield


@pytest.fixture
def runs(built, stored_runs, tmp_path):
    """A cache with the stored runs alone, so that no page of MkDocs's stands in for one."""
    shutil.copytree(stored_runs / "runs", tmp_path / "cache" / "runs", symlinks=True)
    return tmp_path / "cache"


def test_the_site_is_the_same_under_properdocs(site, project, build, runs, tmp_path):
    other = build(project, tmp_path / "site", "properdocs", RECURRENT_CACHE=str(runs))
    assert other.status == 0, other.output
    assert "snippets:" not in other.output, "it ran snippets anew"
    ours, theirs = contents(site.folder), contents(tmp_path / "site")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_a_broken_link_fails_the_build_under_properdocs(project, build, runs, tmp_path):
    copy = shutil.copytree(project, tmp_path / "project")
    with (copy / "docs" / "citing.md").open("a") as page:
        page.write("\n[Nothing](nowhere.md)\n")
    broken = build(copy, tmp_path / "site", "properdocs", RECURRENT_CACHE=str(runs))
    assert broken.status == 1
    assert "docs/citing.md" in broken.output
    assert "'nowhere.md' leads nowhere" in broken.output


def contents(folder):
    """Every file, by its path, with the generator's name taken out of the pages."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): content(path) for path in files}


def content(path):
    if path.suffix != ".html":
        return path.read_bytes()
    text, found = GENERATOR.subn(b"", path.read_bytes())
    assert found == 1, f"{path.name} names its generator {found} times"
    return text
