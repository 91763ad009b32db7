"""The archive's bytes depend on its files alone; a failed build leaves the last archive."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest

from readinglist.commands.archive import commit_time, make_archive, pack
from readinglist.faults import Faults


@pytest.fixture
def folder(tmp_path):
    site = tmp_path / "site"
    for name in ("index.html", "deep/a.js", "deep/b/c.css"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(name)
    return site


def test_times_and_rights_of_the_files_do_not_matter(folder, tmp_path):
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    assert pack(folder, one, 1_700_000_000) == 3
    for path in folder.rglob("*.*"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    pack(folder, two, 1_700_000_000)
    assert one.read_bytes() == two.read_bytes()
    pack(folder, two, 1_800_000_000)
    assert one.read_bytes() != two.read_bytes()


def test_it_unpacks_to_the_folder(folder, tmp_path):
    pack(folder, tmp_path / "one.zip", 0)
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        names = ["site/deep/a.js", "site/deep/b/c.css", "site/index.html"]
        assert archive.namelist() == names
        assert archive.read("site/deep/a.js") == b"deep/a.js"
        assert archive.getinfo(names[0]).date_time == (1980, 1, 1, 0, 0, 0)


def test_a_failed_build_leaves_the_last_archive(tmp_path, monkeypatch):
    target = tmp_path / "one.zip"
    target.write_bytes(b"the last one")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "7")
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(Faults, match="the site was not built, and so no archive was"):
        make_archive(tmp_path, target, "list")
    assert target.read_bytes() == b"the last one"
    assert list(tmp_path.iterdir()) == [target]


def test_the_time_is_that_of_the_last_commit(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    with pytest.raises(Faults, match="set SOURCE_DATE_EPOCH to a number of seconds"):
        commit_time(tmp_path)
    dated = {**os.environ, "GIT_COMMITTER_DATE": "1700000000 +0000"}
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, env=dated, check=True)
    assert commit_time(tmp_path) == 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "5")
    assert commit_time(tmp_path) == 5
