"""A run that is not there: what a page shows of it, and what is known of its values."""

from __future__ import annotations

import pytest

from readinglist.commands.page_rules import timed_names
from readinglist.pages.cells import render_cell
from readinglist.pages.values import check_claims, fill_values
from readinglist.running.pending import assigned, pending_run

CELLS = """# %% define
def f(x):
    global counter
    inner = [y for y in x]
    return inner

class C:
    field = 1

# %% compute tags=["demo"]
a, (b, *c) = 1, (2, 3)
d: int = 4
a += 1
for e in range(3):
    if (g := e):
        pass
with open("x") as h:
    other.attribute = 5
import math

# %% time tags=["demo", "timed"]
seconds = f([1])
bound = 10
a = 2"""


@pytest.fixture
def snippet(make_snippet):
    return make_snippet("thing", CELLS)


def test_the_names_that_cells_give_a_value(snippet):
    assert assigned(snippet) == {*"abcdegh", "counter", "seconds", "bound"}


def test_what_only_a_timed_cell_computes_is_timed_names(snippet):
    assert timed_names(snippet) == {"seconds"}


def test_a_pending_value_is_an_ellipsis_in_any_format(snippet):
    runs = {"thing": pending_run(snippet)}
    text, _, problems = fill_values("It is [[thing.seconds:.1f]] and $[[thing.a:,]]$.", runs)
    assert not problems
    assert text.count("…") == 2


def test_a_claim_about_it_is_not_checked_yet(snippet):
    shown, used = check_claims(["thing.a < thing.b"], {"thing": pending_run(snippet)})
    assert used == ["thing", "thing"]
    assert shown.count("…") == 2


def test_a_name_that_is_never_given_a_value_is_a_fault_all_the_same(snippet):
    _, _, (problem,) = fill_values("[[thing.z]]", {"thing": pending_run(snippet)})
    assert problem[1].startswith("snippet 'thing' has no value 'z'")


def test_its_demo_cells_say_so(snippet, project_of):
    project = project_of((snippet, pending_run(snippet, "Running.")))
    shown = {
        name: render_cell(project, snippet, cell, source=False)
        for name, cell in snippet.code.items()
    }
    assert [name for name, html in shown.items() if "Running." in html] == ["compute", "time"]
    assert shown["define"] == ""
