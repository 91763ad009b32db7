"""A deprecation warning of a run is mended or listed; what is listed must still occur."""

from __future__ import annotations

import pytest
from builders import PINS, snippet_text

from readinglist.running.run_checks import run_faults
from readinglist.sources.snippet import read_snippet

CELL = "# %% a\nx = 1\ny = 2"
WARNED = {"cell": "a", "line": 2, "category": "FutureWarning", "message": "y goes in 3.0"}


@pytest.fixture
def snippet_with(tmp_path):
    """Reads a snippet whose block ends with these lines."""

    def make(*lines: str):
        text = snippet_text(CELL)
        block = "".join(f"# {line}\n" for line in lines)
        path = tmp_path / "thing.py"
        path.write_text(text.replace("# ///\n\n", f"{block}# ///\n\n", 1))
        return read_snippet(path, PINS, {"thing"})

    return make


def told(snippet, run):
    return [f"{fault.line}: {fault.message}" for fault in run_faults(snippet, run)]


def test_an_unlisted_deprecation_is_a_fault_at_its_line(snippet_with, run_of):
    snippet = snippet_with()
    (message,) = told(snippet, run_of(snippet, warnings=[{**WARNED, "deprecated": True}]))
    line = snippet.code["a"].line + 2
    assert message.startswith(f"{line}: cell 'a' uses what will go, FutureWarning: y goes in 3.0; ")
    assert "[tool.recurrent.deprecations]" in message


def test_a_listed_one_with_a_reason_is_none(snippet_with, run_of):
    snippet = snippet_with("[tool.recurrent.deprecations]", '"goes in 3" = "no other way yet"')
    assert snippet.deprecations == {"goes in 3": "no other way yet"}
    assert told(snippet, run_of(snippet, warnings=[{**WARNED, "deprecated": True}])) == []


def test_a_listed_one_that_is_gone_is_a_fault(snippet_with, run_of):
    snippet = snippet_with("[tool.recurrent.deprecations]", '"goes in 3" = "no other way yet"')
    assert told(snippet, run_of(snippet)) == [
        "6: lists the deprecation 'goes in 3', of which its run did not warn; remove it"
    ]


def test_other_warnings_are_no_faults(snippet_with, run_of):
    snippet = snippet_with()
    warned = {**WARNED, "category": "UserWarning", "deprecated": False}
    assert told(snippet, run_of(snippet, warnings=[warned])) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("[tool.recurrent.deprecations]", '"goes in 3" = ""'),
        ("[tool.recurrent.deprecations]", '"goes in 3" = 3'),
        ('deprecations = ["goes in 3"]',),
    ],
)
def test_a_list_without_reasons(snippet_with, faults_of, lines):
    (message,) = faults_of(snippet_with, *lines)
    assert message == (
        "thing.py:1: the deprecations of the dependency block are not texts with their reasons; "
        'write "part of the warning" = "why it stays" in [tool.recurrent.deprecations]'
    )
