"""A run gives the same twice: what its cells show, the values it leaves, and its files.

This is a property of a key of the cache, which names all that a run depends on. So a key is
repeated once and then marked, in a folder beside the stored runs, where it stays when old runs are
removed.
`make test` repeats the quick runs; `make test-slow`, which the scheduled workflow calls on a clean
clone, all of them. What a build makes of the same runs twice is held in test_archive.py.
"""

import json
from itertools import zip_longest

import pytest

from readinglist.commands.page_rules import timed_names
from readinglist.running.outputs import executed_cell
from readinglist.running.project import make_runner
from readinglist.running.runner import Runner
from readinglist.running.store import Cache

# A run that took no longer is repeated by `make test`: together they take half a minute.
QUICK_SECONDS = 5


@pytest.fixture
def repeat(catalog, project, stored_runs, tmp_path, measured):
    """Repeats what has not been repeated of these runs, marks it, and gives all differences."""
    runner = Runner(Cache(tmp_path / "runs"), make_runner(catalog).style)

    def mark_of(snippet):
        return stored_runs / "repeated" / snippet.name / runner.key(snippet)

    def run(names):
        snippets = [catalog.snippets[name] for name in names]
        missing = [snippet for snippet in snippets if not mark_of(snippet).exists()]
        again = runner.run(missing)
        measured(f"repeated: {len(missing)} of {len(snippets)} runs; the others had been before")
        found = []
        for snippet in missing:
            first, second = catalog.runs[snippet.name], again[snippet.name]
            different = list(_differences(snippet, first, second))
            found += different
            if not different:
                mark_of(snippet).parent.mkdir(parents=True, exist_ok=True)
                mark_of(snippet).touch()
        return found

    return run


def test_a_quick_run_gives_the_same_twice(repeat, catalog):
    runs = catalog.runs.items()
    quick = [name for name, run in runs if run.seconds <= QUICK_SECONDS]
    different = repeat(quick)
    assert not different, "\n".join(different)


@pytest.mark.slow
def test_every_run_gives_the_same_twice(repeat, catalog):
    different = repeat(catalog.runs)
    assert not different, "\n".join(different)


def _differences(snippet, one, other):
    for cell in snippet.code.values():
        shown = [_lines(executed_cell(run.notebook, cell.name).outputs) for run in (one, other)]
        if not cell.timed and shown[0] != shown[1]:
            yield f"{snippet.name}#{cell.name} shows {_first_difference(*shown)}"
    values = [_lines(_timeless(snippet, run)) for run in (one, other)]
    if values[0] != values[1]:
        yield f"{snippet.name} leaves {_first_difference(*values)}"
    files = [{name: path.read_bytes() for name, path in run.files.items()} for run in (one, other)]
    for name in sorted(files[0].keys() | files[1].keys()):
        if files[0].get(name) != files[1].get(name):
            yield f"{snippet.name} writes {name} anew with other bytes"


def _timeless(snippet, run):
    timed = timed_names(snippet)
    return {name: value for name, value in run.values.items() if name not in timed}


def _lines(content):
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True).splitlines()


def _first_difference(one, other):
    pairs = zip_longest(one, other, fillvalue="nothing")
    now, then = next((a.strip(), b.strip()) for a, b in pairs if a != b)
    return f"now {now[:300]}, now {then[:300]}"
