"""Whole builds of a small project: what a good one makes, and what a bad one says and leaves.

Every build is a process of its own on a copy of the project, with its own cache and site.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import lxml.html
import psutil
import pytest

from readinglist.running.store import Cache
from readinglist.site import mkdocs_hook

COPIED = ("readinglist", "theme", "docs/assets")
INDEX = "# The list\n\n```resources\n```\n\n[The gallery](snippets/index.md)\n"
GALLERY = "# Snippets\n\n```snippets\n```\n"
DRAWS = """# %% define
def double(x):
    return 2 * x

# %% draw tags=["demo"] alt="The first text."
from pathlib import Path


class Picture:
    def _repr_svg_(self):
        return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M 0 0"/></svg>'

    def __repr__(self):
        return "a picture"


answer = double(21)
print("<b>", answer)
Path("answer.txt").write_text(str(answer))
assert answer == 42
Picture()"""
COUNTS = "# %% count\ntotal = 0.00012\nprint(total)\n\n# %% [markdown]\n# So $e = mc^2$."
PAGE = """
Twice 21 is [[draws.answer]], and $x = [[counts.total:.1e]]$.

!!! note

    ```cell folded
    draws#draw
    ```

```cell
counts#count
```

## A heading
"""


def build(project: Path, *options: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Runs one build to its end; what it says on both streams is in `stdout`."""
    return subprocess.run(
        command(*options), cwd=project, env=environment(project, **settings), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=120,
        preexec_fn=settings.get("before"),
    )  # fmt: skip


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "mkdocs", "build", *(options or ["--quiet"])]


def environment(project: Path, cache: str | None = None, **_: object) -> dict[str, str]:
    """The environment of a build: temporary files go where the test can see them."""
    temporary = project.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    kept = {name: text for name, text in os.environ.items() if name != "RECURRENT_CACHE"}
    named = {"RECURRENT_CACHE": cache} if cache else {}
    return {**kept, "NO_MKDOCS_2_WARNING": "1", "TMPDIR": str(temporary), **named}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def runs(project: Path) -> dict[str, int]:
    """Every stored run, with the time of its writing."""
    # What is still being written has a dot before its name, and is gone a moment later.
    found = (project / ".cache" / "runs").glob("[!.]*/*/run.json")
    return {f"{path.parts[-3]}/{path.parts[-2]}": path.stat().st_mtime_ns for path in found}


def unexpected(said: str) -> list[str]:
    """What a quiet build says besides its progress."""
    lines = said.replace("\r", "\n").split("\n")
    return [line for line in lines if line.strip() and not line.startswith("snippets:")]


def litter(project: Path) -> list[str]:
    patterns = (".site-*", ".cache/**/.partial-*", "../tmp/*")
    return [str(path) for pattern in patterns for path in project.glob(pattern)]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path.name} holds {text.count(old)} of {old!r}"
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def built(tmp_path_factory, root, text_of_snippet, text_of_resource):
    """A small project after its first build, and how that went."""
    project = tmp_path_factory.mktemp("built") / "project"
    for name in COPIED:
        shutil.copytree(root / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(root / "requirements.txt", project / "requirements.txt")
    # The site's own settings, with a navigation that leads to no page of reference.
    settings = (root / "mkdocs.yml").read_text()
    nav = "nav: [index.md, Resources: resources/, Snippets: snippets/]\n\n"
    settings = re.sub(r"^nav:\n(?:[ ].*\n)+\n", nav, settings, flags=re.MULTILINE)
    (project / "mkdocs.yml").write_text(settings)
    listed = {"status": "listed", "order": 2, "citation_key": "b1999two", "url": "https://e.org/2"}
    texts = {
        "docs/index.md": INDEX,
        "docs/snippets/index.md": GALLERY,
        "docs/resources/one.md": text_of_resource(body=PAGE),
        "docs/resources/two.md": text_of_resource(body="", **listed),
        "snippets/draws.py": text_of_snippet(*DRAWS.split("\n\n# %% draw")[:1], "# %% draw"
                                             + DRAWS.split("\n\n# %% draw")[1], title="It draws"),
        "snippets/counts.py": text_of_snippet(COUNTS),
    }  # fmt: skip
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project, build(project)


@pytest.fixture
def project(built, tmp_path) -> Path:
    """A copy of the built project, with its cache and its good site."""
    assert built[1].returncode == 0, built[1].stdout
    copy = tmp_path / "project"
    shutil.copytree(built[0], copy)
    return copy


@pytest.fixture
def add(project, text_of_snippet) -> Callable[..., None]:
    """Adds snippets, or replaces them: `add(name=[cells])`."""

    def write(**snippets: list[str]) -> None:
        for name, cells in snippets.items():
            (project / "snippets" / f"{name}.py").write_text(text_of_snippet(*cells))

    return write


@pytest.fixture
def refused(project) -> Callable[..., list[str]]:
    """Builds a project that is not right; gives the faults, when nothing else was harmed."""

    def check(*options: str, **settings: object) -> list[str]:
        before = contents(project / "site")
        ended = build(project, *options, **settings)
        assert ended.returncode == 1, ended.stdout
        assert "Traceback" not in ended.stdout, ended.stdout
        assert contents(project / "site") == before
        assert litter(project) == []
        progress, _, listed = ended.stdout.partition("\nThe site was not built: ")
        assert not unexpected(progress)
        count, *lines = listed.rstrip("\n").split("\n")
        faults = [line.removeprefix("  ") for line in lines]
        number = sum(not line.startswith(" ") for line in faults)
        assert count == ("1 fault." if number == 1 else f"{number} faults."), ended.stdout
        return faults

    return check


def page(project: Path, name: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring((project / "site" / name).read_text())


def test_a_good_build_ends_well_and_says_nothing_but_its_progress(built):
    project, ended = built
    assert ended.returncode == 0
    assert not unexpected(ended.stdout)
    assert litter(project) == []
    assert {name for name in contents(project / "docs") if "assets" not in name} == {
        "index.md", "resources/one.md", "resources/two.md", "snippets/index.md",
    }  # fmt: skip


def test_the_list_and_the_gallery_link_to_the_pages(built):
    index, gallery = page(built[0], "index.html"), page(built[0], "snippets/index.html")
    assert index.xpath("//article//h2/a/@href") == ["resources/one.html", "https://e.org/2"]
    assert gallery.xpath("//article//td/a/@href") == ["counts.html", "draws.html"]


def test_a_page_shows_values_formulas_cells_and_their_proof(built):
    article = page(built[0], "resources/one.html").xpath("//article")[0]
    assert article.xpath(".//span[@class='value']/text()") == ["42"]
    assert "1.2×10−4" in "".join(article.xpath(".//math")[0].itertext())
    (folded,) = article.xpath(".//div[contains(@class, 'admonition')]/details")
    assert folded.xpath(".//svg/@aria-label") == ["The first text."]
    assert "<b> 42" in folded.text_content()
    proof = " ".join(article.xpath(".//p[@class='proof']")[0].text_content().split())
    assert "2 snippets in" in proof
    assert "1 assertion held" in proof


def test_an_embedded_cell_leads_to_its_place_on_the_snippets_page(built):
    project, _ = built
    links = page(project, "resources/one.html").xpath("//*[@class='origin']/a/@href")
    assert links == ["../snippets/draws.html#draw", "../snippets/counts.html#count"]
    for link in links:
        name, cell = link.removeprefix("../").split("#")
        assert page(project, name).xpath(f"//article//h2[@id='{cell}']")


def test_a_snippets_page_has_its_downloads(built):
    project, _ = built
    hrefs = page(project, "snippets/draws.html").xpath("//a[@download]/@href")
    assert {href.removeprefix("../downloads/") for href in hrefs} == {
        "draws.py", "draws.ipynb", "draws/answer.txt",
    }  # fmt: skip
    downloads = project / "site" / "downloads"
    assert (downloads / "draws/answer.txt").read_text() == "42"
    assert (downloads / "draws.py").read_bytes() == (project / "snippets/draws.py").read_bytes()


def test_a_snippets_prose_has_formulas_too(built):
    (math,) = page(built[0], "snippets/counts.html").xpath("//article//math")
    assert "".join(math.itertext()) == "e=mc2"


def test_a_listed_resource_has_no_page(built):
    assert not (built[0] / "site/resources/two.html").exists()


def test_a_second_build_gives_the_same_site(project):
    """But for the dates of the sitemap, and what tells who ran the snippets. Nothing runs again."""
    before, stored = contents(project / "site"), runs(project)
    ended = build(project)
    assert (ended.returncode, "snippets:" in ended.stdout) == (0, False)
    assert runs(project) == stored
    after = contents(project / "site")
    assert set(after) == set(before)
    same = {name for name in after if after[name] == before[name]}
    assert set(after) - same <= {"sitemap.xml", "sitemap.xml.gz", "status.json"}
    status = before["status.json"], after["status.json"]
    first, second = b'"run by this build"', b'"stored by an earlier build"'
    assert status[0].replace(first, second) == status[1]


def test_only_edited_code_runs_and_edited_prose_is_shown(project):
    before = runs(project)
    edit(project / "snippets/counts.py", "0.00012", "0.00034")
    edit(project / "snippets/draws.py", "The first text.", "The second text.")
    edit(project / "snippets/draws.py", "# A sentence.", "# Another sentence.")
    edit(project / "docs/resources/one.md", "Twice 21 is", "Two times 21 is")
    assert build(project).returncode == 0
    new = runs(project).items() - before.items()
    assert [entry.split("/")[0] for entry, _ in new] == ["counts"]
    for name in ("resources/one.html", "snippets/draws.html"):
        shown = page(project, name).xpath("//article//svg[@class='plot']/@aria-label")
        assert shown == ["The second text."]
    site = project / "site"
    assert "Another sentence." in (site / "snippets/draws.html").read_text()
    assert "Another sentence." in (site / "downloads/draws.ipynb").read_text()
    assert "Two times 21 is" in (site / "resources/one.html").read_text()
    formula = page(project, "resources/one.html").xpath("//math")[0]
    assert "3.4×10−4" in "".join(formula.itertext())


def test_what_cannot_be_read_of_the_cache_is_made_again(project):
    before = runs(project)
    for name, damaged in (("counts", "run.json"), ("draws", "notebook.ipynb")):
        (path,) = project.glob(f".cache/runs/{name}/*/{damaged}")
        path.write_bytes(path.read_bytes()[:-30])
    (project / ".cache/kept/memory.json").write_bytes(b"damaged")
    good = contents(project / "site")
    assert build(project).returncode == 0
    new = runs(project).items() - before.items()
    assert sorted(entry.split("/")[0] for entry, _ in new) == ["counts", "draws"]
    again = contents(project / "site")
    assert again["snippets/draws.html"].count(b"data-cell") == 0
    assert set(again) == set(good)
    assert b"damaged" not in again["snippets/draws.html"]


def test_what_cannot_be_read_is_reported_together(project, add, refused, text_of_resource):
    add(
        parses_not=["# %% a\nx = (1"],
        twice=["# %% a\n1", "# %% a\n2"],
        nameless=["# %%\nimport flask"],
        borrows=["# %% a\nfrom draws import double"],
    )
    texts = {
        "one": text_of_resource(year="old", level=None, extra="x"),
        "three": "# No front matter\n",
        "four": "---\ntitle: a: b\n---\n",
        "sub/two": text_of_resource(order=5, citation_key="a1900a", url="https://e.org/5"),
    }
    for name, text in texts.items():
        path = project / "docs" / "resources" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert [line.split("; ")[0] for line in refused()] == [
        "docs/resources/four.md:2: the front matter is not YAML: "
        "mapping values are not allowed here",
        "docs/resources/one.md:1: the front matter lacks 'level'",
        "docs/resources/one.md:4: 'year' is 'old': input should be a valid integer",
        "docs/resources/one.md:19: the front matter has an unknown field 'extra'",
        "docs/resources/sub/two.md:1: a resource's page stands in docs/resources/ itself",
        "docs/resources/sub/two.md:1: repeats the slug 'two' of docs/resources/two.md",
        "docs/resources/three.md:1: there is no front matter",
        "snippets/borrows.py:14: imports the snippet 'draws'",
        "snippets/nameless.py:13: this cell has no name",
        "snippets/nameless.py:14: imports 'flask', which the dependency block does not declare",
        "snippets/parses_not.py:14: this does not parse: '(' was never closed",
        "snippets/twice.py:16: a second cell named 'a' (first: line 13)",
    ]


def test_what_would_act_on_a_page_is_reported_together(project, add, refused):
    """Of an output; and of a deprecation, which acts on the next build."""
    shows = (
        "class P:\n    def _repr_html_(self):\n        return '<script>steal()</script>'\n\n\nP()"
    )
    warns = "import warnings\n\n\nwarnings.warn('old', DeprecationWarning)"
    add(shows=[f"# %% a\n{shows}"], warns=[f"# %% a\n{warns}"])
    assert [line.split(";")[0] for line in refused()] == [
        "snippets/shows.py:13: cell 'a' shows <script>, which would act on the page",
        "snippets/warns.py:17: cell 'a' uses what will go, DeprecationWarning: old",
    ]


def test_what_fails_while_it_runs_is_reported_together(project, add, refused):
    """And what ran well is stored, so that the next build is quick."""
    before = runs(project)
    edit(project / "readinglist/running/kernel.py", "seconds: int = 120", "seconds: int = 4")
    add(
        good=["# %% a\nx = 1"],
        raises=["# %% a\n\n1 / 0"],
        asserts=["# %% a\nx = 3\nassert x < 2, x"],
        exits=["# %% a\nimport os\n\nos._exit(1)"],
        prints=['# %% a\nprint("x" * 50_000_000)'],
        loops=["# %% a\nimport signal\n\nsignal.signal(2, signal.SIG_IGN)\nwhile True:\n    pass"],
        shows=["# %% a\nclass P:\n    def _repr_svg_(self):\n        return '<svg/>'\n\n\nP()"],
    )
    assert [line.split(";")[0] for line in refused()] == [
        "snippets/asserts.py:15: cell 'a' raised AssertionError: 3",
        "    assert x < 2, x",
        "snippets/exits.py:13: cell 'a' ended its process with exit status 1, as os._exit does",
        "snippets/loops.py:13: cell 'a' was still running when the snippet's 4 s were over",
        "snippets/prints.py:13: cell 'a' printed and showed more than 1,000,000 characters, "
        "all that a snippet may",
        "snippets/raises.py:15: cell 'a' raised ZeroDivisionError: division by zero",
        "    1 / 0",
        "snippets/shows.py:13: cell 'a' shows an image without alternative text",
    ]
    stored = {name.split("/")[0] for name, _ in runs(project).items() - before.items()}
    assert stored == {"good", "shows"}


BAD_PAGE = """

One [[draws.answr]] and [[counts.none:.1f]].
[[draw.answer]], [[draws.Path]], [[counts.total:d]], [[counts.bad]].

```cell
draws#drw
```

```cell wide
draws#draw
```

A [link](../snippets/draw.ipynb), [another](two.md) and a [third](#no-heading).
[Fine](../snippets/draws.ipynb#draw); see also no-such.md. [Not](no-such.md "Title")

A formula $\\frac{1}$ and $y_$.

$$
\\unknown{x}
$$

```cell
counts#count
"""


def test_what_a_page_asks_in_vain_is_reported_together(project, add, refused, text_of_resource):
    """Although the build is told to be quiet, as by `make build`."""
    prose = "# %% [markdown]\n# So $\\frac{2}$."
    add(counts=["# %% count\ntotal = 0.5\nbad = float('nan')", prose])
    (project / "docs/resources/one.md").write_text(text_of_resource(body=BAD_PAGE))
    (project / "docs/index.md").write_text("[[counts.total]] [gone](gone.md)\n\n```cell\nx\n```\n")
    lines = [line.split(";")[0] for line in refused("--quiet")]
    number = 20  # the line of the end of the front matter
    assert [line for line in lines if "leads nowhere" not in line and "formula" not in line] == [
        "docs/index.md:3: a cell block holds one line, snippet#cell",
        f"docs/resources/one.md:{number + 3}: snippet 'counts' has no value 'none'",
        f"docs/resources/one.md:{number + 3}: snippet 'draws' has no value 'answr'",
        f"docs/resources/one.md:{number + 4}: '[[counts.total:d]]': 0.5 cannot be shown as 'd': "
        "Unknown format code 'd' for object of type 'float'",
        f"docs/resources/one.md:{number + 4}: the value counts.bad is not finite (nan)",
        f"docs/resources/one.md:{number + 4}: the value draws.Path is a type",
        f"docs/resources/one.md:{number + 4}: there is no snippet 'draw'",
        f"docs/resources/one.md:{number + 6}: snippet 'draws' has no cell 'drw'",
        f"docs/resources/one.md:{number + 10}: 'wide' is not an option of a cell block",
        f"docs/resources/one.md:{number + 23}: this 'cell' block is not closed",
    ]
    assert [line.split(": ")[:2] for line in lines if "leads nowhere" in line] == [
        ["docs/index.md:1", "the link 'gone.md' leads nowhere"],
        [f"docs/resources/one.md:{number + 14}", "the link '#no-heading' leads nowhere"],
        [f"docs/resources/one.md:{number + 14}", "the link '../snippets/draw.ipynb' leads nowhere"],
        [f"docs/resources/one.md:{number + 14}", "the link 'two.md' leads nowhere"],
        [f"docs/resources/one.md:{number + 15}", "the link 'no-such.md' leads nowhere"],
    ]
    assert [line for line in lines if "formula" in line] == [
        f"docs/resources/one.md:{number + 17}: the formula '\\frac{{1}}' cannot be typeset: "
        "a part is missing (<mfrac> has 1 of 2)",
        f"docs/resources/one.md:{number + 17}: the formula 'y_' cannot be typeset: "
        "missing super script or subscript",
        f"docs/resources/one.md:{number + 20}: the formula '\\unknown{{x}}' uses \\unknown, "
        "which is not known",
        "snippets/counts.py:18: the formula '\\frac{2}' cannot be typeset: "
        "a part is missing (<mfrac> has 1 of 2)",
    ]


def test_a_page_that_no_list_leads_to_or_that_is_not_there_is_a_fault(project, refused):
    for name in ("stray.md", "snippets/stray too.md"):
        (project / "docs" / name).write_text("# Stray\n")
    edit(project / "mkdocs.yml", "[index.md, ", "[index.md, gone.md, ")
    why = "no list leads to this page; a resource's page stands in docs/resources/"
    assert refused() == [
        f"docs/snippets/stray too.md: {why}",
        f"docs/stray.md: {why}",
        "mkdocs.yml:9: the navigation names 'gone.md', which is not in docs/; write it or "
        "remove it",
    ]


def until(reached: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for a state of another process."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "the build did not come so far"
        time.sleep(0.05)


def start(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(), cwd=project, env=environment(project), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_a_build_that_is_cancelled_from_outside_is_interrupted():
    before = signal.getsignal(signal.SIGTERM)
    try:
        mkdocs_hook.on_startup("build", False)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_interrupt_ends_all_processes_and_keeps_what_was_done(project, add):
    before, good = runs(project), contents(project / "site")
    deaf = "import signal, time\n\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)"
    # The longest text comes first, so that something has ended when the slow ones run.
    long = "# Some words.\n" * 20
    add(quick=[f"# %% a\n{long}"], slow=[f"# %% a\n{deaf}"], slower=[f"# %% a\n{deaf}"])
    building = start(project)
    until(lambda: len(runs(project)) > len(before))
    until(lambda: len(psutil.Process(building.pid).children()) >= 2)
    children = psutil.Process(building.pid).children(recursive=True)
    building.send_signal(signal.SIGINT)
    began = time.monotonic()
    said, _ = building.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert (building.returncode, "Traceback" in said) == (1, False), said
    assert [child for child in children if child.is_running()] == []
    assert contents(project / "site") == good
    assert litter(project) == []
    stored = runs(project)
    assert [name.split("/")[0] for name in set(stored) - set(before)] == ["quick"]
    add(slow=["# %% a\ny = 1"], slower=["# %% a\ny = 2"])
    assert build(project).returncode == 0
    assert stored.items() <= runs(project).items()


def readinglist(project: Path, *arguments: str) -> str:
    """What a command prints that succeeds."""
    ended = subprocess.run(
        [sys.executable, "-m", "readinglist", *arguments], cwd=project, text=True,
        env=environment(project), stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_page_and_a_snippet_from_the_templates_build(project):
    readinglist(
        project, "new", "resource", "--title", "A New Idea", "--url", "https://example.org/new",
        "--authors", "Ada Lovelace", "--year", "1997", "--kind", "journal article",
    )  # fmt: skip
    shown = readinglist(
        project, "new", "snippet", "--name", "a_mean", "--title", "A mean",
        "--summary", "It keeps no sum.", "--concept", "means",
    )  # fmt: skip
    block = shown[shown.index("``` cell") :]
    edit(project / "docs/resources/new-idea.md", "## Notation", f"{block}\n\n## Notation")
    ended = build(project)
    assert ended.returncode == 0, ended.stdout
    assert "largest difference" in page(project, "resources/new-idea.html").text_content()
    ran = readinglist(project, "run", "a_mean")
    assert "largest difference" in ran
    assert "1 assertion held" in ran


def test_a_report_says_what_changed_between_two_builds(project):
    base = project.parent / "base"
    shutil.copytree(project / "site", base)
    assert readinglist(project, "report", str(base), "site").count("No change.") == 3
    edit(project / "snippets/draws.py", "answer = double(21)", "answer = double(21) + 0.5 - 0.5")
    edit(project / "snippets/counts.py", "print(total)", "print(total, 'in all')\nprint('++ @@')")
    edit(project / "docs/resources/one.md", "## A heading", "## A heading\n\nA new sentence.")
    (project / "snippets/more.py").write_text(
        (project / "snippets/counts.py").read_text().replace("0.00012", "5")
    )
    assert build(project).returncode == 0
    report = readinglist(project, "report", str(base), "site")
    lines = report.split("\n")
    assert "| snippets | 2 | 3 |" in lines
    rows = [line for line in lines if line.startswith("| `")]
    assert [row.split(" | ")[:2] for row in rows if "html" in row] == [
        ["| `resources/one.html`", "changed"],
        ["| `snippets/counts.html`", "changed"],
        ["| `snippets/draws.html`", "changed"],
        ["| `snippets/index.html`", "changed"],
        ["| `snippets/more.html`", "new"],
    ]
    assert "+A new sentence." in lines
    outputs = report[report.index("## Outputs") : report.index("## Run times")].split("\n")
    assert {"-0.00012", "+0.00012 in all", "+++ @@", "-<b> 42", "+<b> 42.0", "- `more` is new"} <= {
        *outputs
    }
    assert any(line.startswith("| `more` | new |") for line in lines)


def test_a_report_refuses_a_folder_that_is_no_site(project):
    ended = subprocess.run(
        [sys.executable, "-m", "readinglist", "report", "docs", "site"],
        cwd=project, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr == (
        "docs: is not a built site: it has no status.json; "
        "name the folder that 'make build' wrote\n"
    )


@pytest.fixture
def read(project):
    """Serves the project; reads one of its pages, as soon as that says all that is expected."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--dev-addr", address]
    environ = {**environment(project), "SITE_URL": f"http://{address}/"}
    served: list[subprocess.Popen[str]] = []

    def call(name: str, *expected: str) -> str:
        if not served:
            output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            served.append(subprocess.Popen(command, cwd=project, env=environ, **output))
        end, text = time.monotonic() + 60, ""
        while time.monotonic() < end:
            with suppress(OSError):
                with urllib.request.urlopen(f"http://{address}/{name}", timeout=30) as answer:
                    text = answer.read().decode()
                if all(words in text for words in expected):
                    return text
            time.sleep(0.2)
        raise AssertionError(f"{name} does not say {expected}:\n{text}")

    yield call
    served[0].send_signal(signal.SIGINT)
    said, _ = served[0].communicate(timeout=30)
    assert "Traceback" not in said, said
    assert litter(project) == []


def test_a_served_site_fills_in_what_is_run_and_a_save_runs_one_snippet(project, add, read):
    add(slow=['# %% a tags=["demo"]\nimport time\n\ntime.sleep(5)\nprint("rest" + "ed")'])
    before = runs(project)
    waiting = read("snippets/slow.html", "Running.", "Not run yet: slow.")
    assert "rested" not in waiting
    assert "42" in read("resources/one.html")
    assert "Running." not in read("snippets/slow.html", "rested")
    assert set(runs(project)) - set(before) == {key for key in runs(project) if "slow" in key}
    edit(project / "snippets/counts.py", "print(total)", "print(total, 'anew')")
    read("snippets/counts.html", "0.00012 anew")
    new = {name.split("/")[0] for name in set(runs(project)) - set(before)}
    assert new == {"slow", "counts"}


def test_a_served_page_follows_its_text_its_values_and_the_files_there_are(project, add, read):
    page = project / "docs/resources/one.md"
    text = page.read_text()
    assert "42" in read("resources/one.html")
    page.write_text(f"{text}\nOne sentence more, and ![a dot](dot.svg).\n")
    (page.parent / "dot.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    read("resources/one.html", "One sentence more", 'src="dot.svg"')
    page.write_text(f"{text}\nAnother.\n")
    assert "One sentence more" not in read("resources/one.html", "Another.", "42")


def test_two_builds_at_once_both_succeed(project, add):
    good = contents(project / "site")
    shutil.rmtree(project / ".cache")
    both = [start(project) for _ in range(2)]
    said = [building.communicate(timeout=120)[0] for building in both]
    assert [building.returncode for building in both] == [0, 0], "\n".join(said)
    assert sorted(name.split("/")[0] for name in runs(project)) == ["counts", "draws"]
    assert litter(project) == []
    assert set(contents(project / "site")) == set(good)
    cache = Cache(project / ".cache" / "runs")
    assert all(cache.load(*name.split("/")) for name in runs(project))


REMEDY = "free some space, or name another folder in the variable RECURRENT_CACHE"


def limited(size: int) -> Callable[[], None]:
    """Makes every file of a process end at so many bytes, as a full disk does."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_is_noticed_before_a_snippet_runs(project, add, refused):
    add(new=["# %% a\nx = 1"])
    assert refused(before=limited(1000)) == [
        f".cache/runs: cannot write the cache: File too large; {REMEDY}"
    ]


def test_a_disk_that_fills_up_meanwhile_harms_nothing(project, add, refused):
    before = contents(project / ".cache" / "runs")
    add(new=['# %% a\nprint("x" * 200_000)'])
    assert refused(before=limited(100_000)) == [
        f".cache/runs: cannot write the cache: File too large; {REMEDY}"
    ]
    assert contents(project / ".cache" / "runs") == before


@pytest.mark.parametrize(
    ("cache", "why"), [("mkdocs.yml/cache", "Not a directory"), ("/proc/cache", "No such file")]
)
def test_a_cache_that_cannot_be_written_is_said_at_once(project, refused, cache, why):
    (line,) = refused(cache=cache)
    assert line.startswith(f"{cache}/runs: cannot write the cache: {why}")
    assert line.endswith(REMEDY)
