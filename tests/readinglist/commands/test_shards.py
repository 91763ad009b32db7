"""Parts of all snippets, run apart: together they are one run of all."""

from __future__ import annotations

import argparse
import shutil

import pytest

from readinglist.commands.run import shard
from readinglist.running.runner import Runner
from readinglist.running.store import Cache


@pytest.mark.parametrize("total", [1, 2, 4, 9])
def test_every_name_is_in_one_shard(total):
    names = ["d", "b", "a", "c", "e"]
    parts = [sorted(names)[shard(f"{number}/{total}")] for number in range(1, total + 1)]
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/", "a/b", "-1/2", "1/0", "1/2/3"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        shard(text)
    assert str(caught.value) == (f"'{text}' is not a shard; write K/N with 1 <= K <= N, as in 1/4")


def test_merged_caches_of_the_shards_equal_one_run(make_snippet, tmp_path):
    cell = "# %% a\nfrom pathlib import Path\n\nx = {n}\nPath('x.txt').write_text(str(x))\nprint(x)"
    snippets = {f"s{n}": make_snippet(f"s{n}", cell.format(n=n)) for n in range(4)}
    whole = Runner(Cache(tmp_path / "whole"))
    whole.run(snippets.values())
    for number in (1, 2):
        part = Runner(Cache(tmp_path / f"part{number}"))
        part.run([snippets[name] for name in sorted(snippets)[shard(f"{number}/2")]])
        shutil.copytree(tmp_path / f"part{number}", tmp_path / "merged", dirs_exist_ok=True)
    merged = Cache(tmp_path / "merged")
    for name, snippet in snippets.items():
        one, other = (cache.load(name, whole.key(snippet)) for cache in (whole.cache, merged))
        assert one.notebook == other.notebook
        assert (one.values, one.assertions, one.versions) == (
            other.values, other.assertions, other.versions,
        )  # fmt: skip
        assert [p.read_bytes() for p in one.files.values()] == [
            p.read_bytes() for p in other.files.values()
        ]
    names = [sorted(p.name for p in (tmp_path / f).glob("[!.]*")) for f in ("whole", "merged")]
    assert names[0] == names[1] == sorted(snippets)
