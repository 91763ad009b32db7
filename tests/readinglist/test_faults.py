"""What a contributor sees when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from readinglist.faults import Fault, Faults, line_of, look_up, nearest, read_text


def test_a_fault_names_file_and_line():
    assert str(Fault(Path("a/b.md"), 7, "it is wrong; mend it")) == "a/b.md:7: it is wrong; mend it"
    assert str(Fault(Path("a/b.md"), 0, "it is wrong")) == "a/b.md: it is wrong"


def test_faults_are_sorted_and_said_once():
    one, two, three = (Fault(Path(p), n, "x") for p, n in (("b", 1), ("a", 10), ("a", 9)))
    caught = Faults([one, two, three, one])
    assert caught.faults == [three, two, one]
    assert str(caught) == "a:9: x\na:10: x\nb:1: x"


def test_the_nearest_name_is_suggested():
    known = ["lstm_step", "gru_step"]
    assert nearest("lstm_stp", known) == "did you mean 'lstm_step'? It has: gru_step, lstm_step"
    assert nearest("zzz", known) == "it has: gru_step, lstm_step"
    assert nearest("zzz", []) == "it has: nothing"


def test_what_is_found_is_given_back():
    assert look_up({"a": 1}, "a", "no") == 1
    with pytest.raises(ValueError, match=r"^there is no 'b'; it has: aaa$"):
        look_up({"aaa": 1}, "b", "there is no 'b'")


def test_a_text_is_read_without_marks_of_its_editor(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\n")
    assert read_text(path) == "a\nb\n"


@pytest.mark.parametrize(("pattern", "line"), [("b", 2), (r"c\nd", 3), (r"d\s", 4), ("x", 0)])
def test_a_line_is_that_of_the_first_match(tmp_path, pattern, line):
    path = tmp_path / "a.txt"
    path.write_text("a\nb b\nc\nd")
    assert line_of(path, pattern) == line


def test_a_file_that_is_not_there_has_no_line(tmp_path):
    assert line_of(tmp_path / "gone", "a") == 0


def test_paths_are_told_from_the_projects_root():
    faults = Faults([Fault(Path("/p/a/b.py"), 3, "x"), Fault(Path("/elsewhere"), 0, "y")])
    assert str(faults.within(Path("/p"))) == "/elsewhere: y\na/b.py:3: x"
