"""`new resource` and `new snippet`: files that are right as written, and clear refusals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from builders import record_links

from readinglist import __main__ as command
from readinglist.running.runner import Runner
from readinglist.sources.catalog import read_catalog

GREFF = [
    "--title", "LSTM: A Search Space Odyssey", "--url", "https://arxiv.org/pdf/1503.04069v2",
    "--authors", "Klaus Greff", "Jürgen Schmidhuber", "--year", "2015", "--kind", "journal article",
]  # fmt: skip
MEAN = [
    "--name", "running_mean", "--title", "A mean without a sum", "--concept", 'the "mean"',
    "--summary", "It keeps one number. " * 8,
]  # fmt: skip


@pytest.fixture
def project(tmp_path, root, text_of_resource, monkeypatch) -> Path:
    for folder in ("snippets", "docs/resources", "docs/assets/drawings", "tests/snippets"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text((root / "requirements.txt").read_text())
    (tmp_path / "docs/resources/one.md").write_text(text_of_resource())
    record_links(tmp_path, text_of_resource())
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    return tmp_path


@pytest.fixture
def run(project, capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        return command.main(list(arguments)), *capsys.readouterr()

    return call


def test_a_new_resource_is_read_as_it_was_given(run, project):
    status, out, error = run("new", "resource", *GREFF)
    assert (status, error) == (0, "")
    path = "docs/resources/lstm-search-space-odyssey.md"
    assert out.startswith(f"Wrote {path}.")
    resource = read_catalog(project).resources[-1]
    assert resource.path == project / path
    assert resource.title == "LSTM: A Search Space Odyssey"
    assert resource.authors == ["Klaus Greff", "Jürgen Schmidhuber"]
    assert (resource.year, resource.kind, resource.order) == (2015, "journal article", 2)
    assert (resource.citation_key, resource.venue) == ("greff2015lstm", "arXiv:1503.04069")
    assert str(resource.url) == "https://arxiv.org/abs/1503.04069"
    assert resource.annotated
    assert read_catalog(project).links[str(resource.url)].archived.endswith(str(resource.url))


def test_check_says_what_is_left_to_write_and_nothing_else(run):
    run("new", "resource", *GREFF)
    status, _, error = run("check")
    assert status == 1
    sections = ["The ideas", "A guided reading", "Notation", "What has aged", "Check yourself"]
    messages = [line.split(": ", 1)[1] for line in error.splitlines()]
    assert messages == [
        "'why' is still the template's; write one to three sentences of your own",
        "'skip' is still the template's; write one to three sentences of your own",
        "'outcome' is still the template's; write one to three sentences of your own",
        *(f"the section '{name}' is empty; write it or remove its heading" for name in sections),
    ]


def test_in_a_terminal_it_asks_for_what_is_missing(run, project, monkeypatch):
    asked = []

    def answer(question: str) -> str:
        asked.append(question)
        return {"Auth": "Ada Lovelace, Charles Babbage and Luigi Menabrea", "Year": "1943"}[
            question[:4]
        ]

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    given = ["--title", "Notes", "--url", "https://example.org/notes", "--kind", "journal article"]
    assert run("new", "resource", *given)[0] == 0
    assert [question[:4] for question in asked] == ["Auth", "Year"]
    resource = read_catalog(project).resources[-1]
    assert resource.authors == ["Ada Lovelace", "Charles Babbage", "Luigi Menabrea"]
    assert resource.citation_key == "lovelace1943notes"


def test_without_a_terminal_it_names_the_missing_options(run):
    message = "new: needs --url, --authors, --kind; in a terminal, it would ask\n"
    assert run("new", "resource", "--title", "T", "--year", "1943") == (1, "", message)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--year", "soon", "--year: is 'soon': Input should be a valid integer"),
        ("--kind", "song", "--kind: is 'song': Input should be 'blog post', 'tutorial', "),
        ("--url", "arxiv", "--url: is 'arxiv': Input should be a valid URL"),
        ("--url", "https://example.org/original", "docs/resources/one.md:7: has this address"),
        ("--slug", "One Two", "--slug: a resource's file is named in small letters"),
        ("--slug", "../../x", "--slug: a resource's file is named in small letters"),
        ("--slug", "one", "docs/resources/one.md: is there already; give another name"),
    ],
)
def test_what_cannot_be_a_resource_writes_nothing(run, project, option, value, message):
    before = sorted(project.rglob("*"))
    status, out, error = run("new", "resource", *GREFF, option, value)
    assert (status, out) == (1, "")
    assert error.startswith(message), error
    assert "Traceback" not in error
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    ("title", "author", "slug", "key"),
    [
        ("The A of the An", "李白", "resource", "anon2015title"),
        ("Ünder 3 Überschriften", "Józef O'Hara-Łoś", "under-3-uberschriften", "os2015under"),
        ("A Title", "Ada Lovelace", "title", "lovelace2015title"),
    ],
)
def test_names_are_made_of_plain_letters(run, project, title, author, slug, key):
    options = ["--title", title, "--authors", author]
    assert run("new", "resource", *GREFF, *options)[0] == 0
    resource = read_catalog(project).resources[-1]
    assert (resource.slug, resource.citation_key) == (slug, key)


def test_a_new_snippet_is_a_program_whose_test_passes(run, project, root):
    status, out, error = run("new", "snippet", *MEAN)
    assert (status, error) == (0, "")
    assert "``` cell\nrunning_mean#matches_accumulate\n```" in out
    snippet = read_catalog(project).snippets["running_mean"]
    assert (snippet.title, snippet.concept) == ("A mean without a sum", 'the "mean"')
    assert snippet.summary == ("It keeps one number. " * 8).strip()
    ended = subprocess.run(
        [sys.executable, str(snippet.path)], cwd=project, capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("largest difference: ")
    shipped = (root / "tests/snippets/conftest.py").read_text()
    (project / "tests/snippets/conftest.py").write_text(shipped)
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "tests"],
        cwd=project, env={"PYTHONPATH": str(root), "PATH": ""}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "3 passed" in tested.stdout, tested.stdout


def test_a_new_snippet_only_lacks_a_place_on_a_page(run):
    run("new", "snippet", *MEAN)
    status, _, error = run("check")
    assert (status, error.count("\n")) == (1, 1)
    assert error.startswith("snippets/running_mean.py:1: no page shows anything of this snippet")


@pytest.mark.parametrize("tool", ["ruff check", "ruff format --check"])
def test_the_templates_pass_the_projects_own_checks(run, project, root, tool):
    run("new", "snippet", *MEAN)
    ended = subprocess.run(
        [sys.executable, "-m", *tool.split(), "--config", str(root / "pyproject.toml"),
         "--config", 'lint.per-file-ignores = {"snippets/*" = ["E402"]}', "."],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--name", "RunningMean", "--name: a snippet's name is its concept in snake_case"),
        ("--name", "../evil", "--name: a snippet's name is its concept in snake_case"),
        ("--name", "torch", "--name: 'torch' is the name of a module"),
        ("--name", "random", "--name: 'random' is the name of a module"),
        ("--title", "imports", "snippets/running_mean.py:10: the heading 'imports' has the anchor"),
    ],
)
def test_what_cannot_be_a_snippet_writes_nothing(run, project, option, value, message):
    before = sorted(project.rglob("*"))
    status, out, error = run("new", "snippet", *MEAN, option, value)
    assert (status, out) == (1, "")
    assert error.startswith(message), error
    assert sorted(project.rglob("*")) == before


def test_a_snippet_is_never_overwritten(run, project):
    run("new", "snippet", *MEAN)
    (project / "snippets/running_mean.py").write_text("mine")
    status, _, error = run("new", "snippet", *MEAN)
    assert (status, error.count("is there already")) == (1, 2)
    assert (project / "snippets/running_mean.py").read_text() == "mine"


def test_the_new_snippet_runs_in_the_kernel(run, project, make_runner):
    run("new", "snippet", *MEAN)
    snippet = read_catalog(project).snippets["running_mean"]
    runner: Runner = make_runner()
    assert runner.run([snippet])["running_mean"].values["max_error"]["value"] < 1e-12
