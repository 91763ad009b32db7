"""The new site takes the place of the old one in one step, or the old one stays."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from readinglist.site.staging import publish, staging_folder


@pytest.fixture
def site(tmp_path) -> Path:
    """The last good site."""
    return _built(tmp_path / "public" / "site", "old")


def _built(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(text)
    return folder


def text_of(site: Path) -> str:
    return (site / "index.html").read_text()


def beside(site: Path) -> list[str]:
    return sorted(path.name for path in site.parent.iterdir())


def test_the_new_site_replaces_the_old_one(site):
    new = _built(site.parent / "new", "new")
    (site / "gone.html").write_text("only in the old site")
    publish(new, site)
    assert text_of(site) == "new"
    assert not (site / "gone.html").exists()
    assert beside(site) == ["site"]


def test_the_first_site_needs_no_old_one(tmp_path):
    site = tmp_path / "site"
    publish(_built(tmp_path / "new", "new"), site)
    assert text_of(site) == "new"
    assert beside(site) == ["site"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_the_old_site_comes_back_if_the_second_step_fails(site, monkeypatch, error):
    new = _built(site.parent / "new", "new")
    rename = Path.rename

    def fail_for_new(self: Path, target: Path) -> Path:
        if self == new:
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with pytest.raises(error if isinstance(error, type) else OSError):
        publish(new, site)
    assert text_of(site) == "old"
    assert beside(site) == ["new", "site"]


def test_many_builds_at_once_leave_one_whole_site(site):
    new = [_built(site.parent / f"new{n}", str(n)) for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda built: publish(built, site), new))
    assert text_of(site) in "012345"
    assert beside(site) == ["site"]


def test_a_staging_folder_is_on_the_same_disk_and_gone_at_the_end(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from readinglist.site.staging import staging_folder\n"
        "folder = staging_folder(Path(sys.argv[1]))\n"
        "(folder / 'half').write_text('')\n"
        "print(folder, oct(folder.stat().st_mode)[-3:])\n"
        "sys.exit('an error in the middle')"
    )
    site = tmp_path / "new" / "site"
    ended = subprocess.run(
        [sys.executable, "-c", program, str(site)], capture_output=True, text=True, check=False
    )
    folder, mode = ended.stdout.split()
    assert (Path(folder).parent, mode) == (site.parent, "755")
    assert list(site.parent.iterdir()) == []


def test_every_build_has_a_staging_folder_of_its_own(tmp_path):
    assert staging_folder(tmp_path / "site") != staging_folder(tmp_path / "site")
