"""`python -m readinglist`: what a contributor types, sees, and gets as exit status."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from builders import record_links

from readinglist import __main__ as command
from readinglist.faults import Fault, Faults
from readinglist.running.runner import Runner
from readinglist.running.store import Cache

SHOWN = "``` cell\nfirst#a\n```\n\n``` cell\nsecond#a\n```\n"


@pytest.fixture
def project(tmp_path, root, text_of_snippet, text_of_resource, run_of, monkeypatch) -> Path:
    """A project of two snippets and a resource; runs need no kernel."""
    for name in ("theme/matplotlibrc", "docs/assets/css/palette.css", "requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((root / name).read_text())
    for folder, name, text in (
        ("snippets", "first.py", text_of_snippet("# %% a\nassert True")),
        ("snippets", "second.py", text_of_snippet("# %% a\nx = 1")),
        ("docs/resources", "one.md", text_of_resource(SHOWN)),
        ("tests/snippets", "test_first.py", "def test_it(): pass\n"),
        ("tests/snippets", "test_second.py", "def test_it(): pass\n"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True, parents=True)
        (tmp_path / folder / name).write_text(text)
    record_links(tmp_path, text_of_resource(SHOWN))
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.delenv("RECURRENT_CACHE", raising=False)
    monkeypatch.setattr(Runner, "run_one", lambda self, snippet: run_of(snippet))
    return tmp_path


@pytest.fixture
def restored():
    """What this process does when it is told to end, as in a terminal, and put back later."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # A shell starts what runs in its background deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(project, capsys, restored):
    """Status, output and error output of a command."""

    def call(*arguments: str) -> tuple[int, str, str]:
        status = command.main(list(arguments))
        return status, *capsys.readouterr()

    return call


def test_check_counts_what_is_in_order_and_runs_nothing(run, project, monkeypatch):
    monkeypatch.setattr(Runner, "run", lambda *_: pytest.fail("check ran a snippet"))
    assert run("check") == (0, "2 snippets and 1 resources: in order.\n", "")


@pytest.mark.parametrize("arguments", [("check",), ("run", "first")])
def test_a_version_other_than_the_pinned_one_is_a_note(run, project, arguments):
    with (project / "requirements.txt").open("a") as pins:
        pins.write("pytest==1.0\n")
    status, _, error = run(*arguments)
    assert status == 0
    note = error.splitlines()[0]
    assert note.startswith("note: pytest ")
    assert note.endswith(" is installed, but requirements.txt pins 1.0; run 'make -B setup'")


def test_check_says_everything_that_is_wrong(run, project):
    (project / "snippets/first.py").write_text("x = 1\n")
    (project / "docs/resources/one.md").write_text("text\n")
    status, out, error = run("check")
    assert (status, out) == (1, "")
    assert [line.split(": ")[0] for line in error.splitlines()] == [
        "docs/resources/one.md:1",
        "snippets/first.py:1",
        "snippets/first.py:1",
        "snippets/first.py:1",
        "snippets/second.py:1",  # which the page showed
    ]


def test_check_takes_a_path(run, project, monkeypatch):
    (project / "snippets/first.py").write_text("x = 1\n")
    assert run("check", "docs") == (0, "docs: in order.\n", "")
    assert run("check", "snippets/second.py") == (0, "snippets/second.py: in order.\n", "")
    for path in ("snippets", "snippets/first.py", str(project / "snippets")):
        status, out, error = run("check", path)
        assert (status, out, error.count("snippets/first.py:1: ")) == (1, "", 3)
    monkeypatch.chdir(project / "snippets")
    assert run("check", "first.py")[0] == 1


def test_check_knows_what_is_no_path_of_the_project(run):
    remedy = "is not a file or a folder of this project; check its name"
    assert run("check", "snippet") == (1, "", f"snippet: {remedy}\n")
    assert run("check", "/etc") == (1, "", f"/etc: {remedy}\n")


def test_run_says_how_long_each_took(run):
    status, out, _ = run("run")
    assert status == 0
    assert [line.split() for line in sorted(out.splitlines())] == [
        ["first", "1.5", "s", "1", "assertions", "held"],
        ["second", "1.5", "s", "0", "assertions", "held"],
    ]


def test_run_takes_names(run):
    status, out, _ = run("run", "second")
    assert status == 0
    assert out == (
        "snippets/second.py: A title\n\n"
        "0 assertions held; 1.5 s of the 60 s that a snippet may take; run on 2026-01-31.\n\n"
    )


def test_run_takes_a_shard(run):
    assert run("run", "--shard", "2/2")[1].split()[0] == "second"
    # The order in which the names are given plays no part.
    first = run("run", "--shard", "1/2", "second", "first")[1]
    assert first.startswith("snippets/first.py: ")
    assert "second" not in first


def test_run_knows_the_nearest_name(run):
    assert run("run", "secnd", "zzz") == (
        1,
        "",
        "snippets: no 'secnd'; did you mean 'second'? It has: first, second\n"
        "snippets: no 'zzz'; it has: first, second\n",
    )


def test_a_failing_run_is_reported_from_the_projects_root(run, project, monkeypatch):
    def fail(self: Runner, snippet):
        raise Faults([Fault(snippet.path, 14, "it fails")])

    monkeypatch.setattr(Runner, "run_one", fail)
    status, out, error = run("run")
    assert (status, out) == (1, "")
    assert error.endswith("snippets/first.py:14: it fails\nsnippets/second.py:14: it fails\n")
    assert str(project) not in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_no_traceback(run, monkeypatch, number):
    monkeypatch.setattr(Cache, "check", lambda _: signal.raise_signal(number))
    assert run("run") == (130, "", "Interrupted. The runs that had ended are stored.\n")


def test_clean_forgets_every_run(run, project):
    stored = project / ".cache" / "runs" / "first"
    stored.mkdir(parents=True)
    assert run("clean") == (0, "", "")
    assert not stored.exists()
    assert run("clean")[0] == 0


def test_an_unknown_command_names_the_known_ones(root):
    ended = subprocess.run(
        [sys.executable, "-m", "readinglist", "runn"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    known = "'new', 'check', 'run', 'clean', 'report', 'links', 'archive'"
    assert f"invalid choice: 'runn' (choose from {known})" in ended.stderr


def test_a_python_without_the_packages_is_told_how_to_get_them(root):
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "readinglist", "check"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.endswith("; run 'make setup', then 'source .venv/bin/activate'\n")
    assert ended.stderr.count("\n") == 1
