"""The site generator's warnings as faults, kept from the terminal."""

from __future__ import annotations

import io
import logging

import pytest

from readinglist.site.warning_faults import collect_warnings

PAGE = """Not here: b.md, and (b.md

[text](lib/b.md)
[text](b.md) and [text](b.md#part)
[text]: c.md
<a href="d.md">text</a>
[text](e.md "Title")
"""


@pytest.fixture
def said(tmp_path):
    """A logger of its own whose warnings are collected: the logger, its faults, its terminal."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(PAGE)
    logger = logging.Logger("generator", logging.ERROR)
    terminal = io.StringIO()
    logger.addHandler(logging.StreamHandler(terminal))
    logger.addHandler(logging.NullHandler())
    faults: list = []
    collect_warnings(logger, tmp_path, faults)
    return logger, faults, terminal


@pytest.mark.parametrize(
    ("link", "line"),
    [
        ("b.md", 4),
        ("b.md#part", 4),
        ("lib/b.md", 3),
        ("c.md", 5),
        ("d.md", 6),
        ("e.md", 7),
        ("f", 0),
    ],
)
def test_a_broken_link_has_the_line_where_it_stands(said, link, line):
    logger, faults, _ = said
    logger.warning(f"Doc file 'a.md' contains a link '{link}', but the target is not found.")
    where = f"docs/a.md:{line}" if line else "docs/a.md"
    assert {str(fault) for fault in faults} == {
        f"{where}: the link '{link}' leads nowhere: the target is not found."
    }


@pytest.mark.parametrize("kind", ["a link", "an absolute link", "an unrecognized relative link"])
def test_links_of_every_kind_are_understood(said, kind):
    logger, faults, _ = said
    logger.warning(f"Doc file 'a.md' contains {kind} 'c.md', it was left as is.")
    assert {str(fault) for fault in faults} == {
        "docs/a.md:5: the link 'c.md' leads nowhere: it was left as is."
    }


def test_a_page_that_no_list_leads_to(said):
    logger, faults, _ = said
    logger.warning(
        "The following pages exist in the docs directory, but are not included in the "
        '"nav" configuration:\n  - x.md\n  - y/z - a.md'
    )
    why = "no list leads to this page; a resource's page stands in docs/resources/"
    assert sorted({str(f) for f in faults}) == [f"docs/x.md: {why}", f"docs/y/z - a.md: {why}"]


def test_any_other_warning_is_a_fault_as_it_is(said):
    logger, faults, _ = said
    logger.warning("Something is %s.", "odd")
    assert {str(fault) for fault in faults} == {"mkdocs.yml: Something is odd."}


def test_only_warnings_are_kept_from_the_terminal_even_if_it_is_quiet(said):
    logger, faults, terminal = said
    logger.info("built")
    logger.warning("odd")
    logger.error("broken")
    assert terminal.getvalue() == "broken\n"
    assert len(set(faults)) == 1


def test_a_second_build_has_faults_of_its_own(said, tmp_path):
    logger, faults, terminal = said
    later: list = []
    collect_warnings(logger, tmp_path, later)
    logger.warning("odd")
    assert (faults, len(set(later)), terminal.getvalue()) == ([], 1, "")
