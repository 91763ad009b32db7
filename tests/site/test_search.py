"""Search finds what stands on the pages, in prose and in code, with and without a server."""

import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="session")
def prose_word(site):
    """A word of a resource page's prose that no other page's text has, and that page."""
    words = {path: set(_words(site, path)) for path in site.resource_pages}
    # The index knows words by their beginnings too, so a word must differ from the others early.
    pages_with = Counter(start for path in site.pages for start in _beginnings(site, path))
    own = [
        (len(word), word, path)
        for path in site.resource_pages
        for word in words[path]
        if pages_with[word[:5]] == 1
    ]
    assert own, "no resource page has a word of its own"
    _, word, path = max(own)
    return word, path


def _words(site, path):
    paragraphs = site.html(path).xpath("//article//p[not(@class)]")
    return re.findall(r"\b[a-z]{8,}\b", " ".join(p.text_content() for p in paragraphs))


def _beginnings(site, path):
    """The first five letters of all words of a page, those in tables, code and captions too."""
    (article,) = site.html(path).xpath("//article")
    return {word[:5] for word in re.findall(r"[a-z]{5,}", article.text_content().lower())}


@pytest.fixture(scope="session")
def functions(catalog):
    """Each function that only one snippet defines, and that snippet's name.

    Only names with an underscore: the others are words of prose as well.
    """
    defined = {}
    for snippet in catalog.snippets.values():
        for node in ast.walk(ast.parse(snippet.path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and "_" in node.name.strip("_"):
                defined.setdefault(node.name, set()).add(snippet.name)
    return {name: snippets.pop() for name, snippets in defined.items() if len(snippets) == 1}


STOP_WORDS = ["how", "to", "where"]  # which the index leaves out
# What readers type, and the heading that must come first or second.
QUERIES = {
    # concepts
    "forget gate": "glossary.html#forget-gate",
    "cell state": "glossary.html#cell-state",
    "peephole": "glossary.html#peephole",
    "perplexity": "glossary.html#perplexity",
    "temperature": "glossary.html#temperature",
    "blank": "glossary.html#blank",
    "transducer": "glossary.html#transducer",
    "ctc": "glossary.html#ctc",
    "LSTM": "glossary.html#lstm",
    "vanishing gradient": "glossary.html#vanishing-gradient",
    "forget bias": "glossary.html#forget-bias",
    "beam search": "glossary.html#beam-search",
    "bidirectional": "glossary.html#bidirectional-network",
    "parallel scan": "glossary.html#parallel-scan",
    "state tracking": "glossary.html#state-tracking",
    "dropout": "glossary.html#dropout",
    # ways of writing
    "gate orders": "notation.html#gate-orders",
    "gru conventions": "notation.html#gru-conventions",
    "shapes": "notation.html#shapes",
    # functions and symbols
    "weight_hh_l0": "notation.html#weights-and-biases",
    "proj_size": "snippets/notation.html#shapes_of_torch",
    "gru_step": "snippets/gru_conventions.html#gru_step",
    "ctc_loss": "snippets/ctc.html#ctc_loss",
    "transducer_loss": "snippets/rnn_transducer.html#transducer_loss",
    # authors
    "Olah": "index.html#understanding-lstm-networks",
    "Karpathy": "index.html#unreasonable-effectiveness",
    "Hinton": "index.html#deep-rnn-speech",
    "Bengio": "index.html#were-rnns-all-needed",
    "Zaremba": "then-and-now.html#the-tensorflow-tutorial-and-zaremba-2014-to-2016",
    "Hochreiter": "resources/understanding-lstm-networks.html"
    "#the-problem-of-long-term-dependencies",
    # what to do
    "where to start": "path.html#where-to-start",
    "how to cite": "citing.html#how-to-cite",
}


@pytest.mark.parametrize("way", ["http", "file"])
def test_what_readers_type_leads_to_the_heading(visit, site, new_context, way):
    root = site.url if way == "http" else site.folder.as_uri() + "/"
    page = visit("index.html") if way == "http" else new_context().new_page()
    page.goto(root + "index.html")
    missed = []
    for text, wanted in QUERIES.items():
        results = _search(page, text)
        hrefs = [re.sub(r"[?]h=[^#]*", "", link.get_attribute("href")) for link in results.all()]
        # A page's line may lead to its heading, which then comes again in a line of its own.
        places = list(dict.fromkeys(href.removeprefix(root) for href in hrefs))
        if wanted not in places[:2]:
            missed.append(f"'{text}' leads to {places[:4]}, not to {wanted}")
    assert not missed, "\n".join(missed)
    assert len(QUERIES) >= 25


def test_a_program_is_found_by_its_name(visit, site, catalog):
    page = visit("index.html")
    for name in catalog.snippets:
        if "_" in name:
            paths = _paths(_search(page, name), site.url)
            assert f"snippets/{name}.html" in paths[:2], f"'{name}' leads to {paths}"


def test_a_page_that_is_no_hit_itself_leads_to_its_heading(visit, site):
    page = visit("index.html")
    first = _search(page, "weight_hh_l0").first
    assert first.get_attribute("href").endswith("#weights-and-biases")
    first.click()
    page.wait_for_url("**/notation.html?**#weights-and-biases")
    expect(page.locator("h2[id='weights-and-biases']")).to_be_in_viewport()


def test_the_index_leaves_out_outputs_and_what_every_page_says(site, catalog):
    index = json.loads((site.folder / "search" / "search_index.json").read_text(encoding="utf-8"))
    places = {document["location"] for document in index["docs"]}
    assert not [place for place in places if place.endswith("#imports")]
    words = " ".join(document["text"] for document in index["docs"])
    for noise in ("Computed on", "I have read this", "Not asked yet", "@misc", "No warnings."):
        assert noise.lower() not in words.lower(), noise
    printed = [
        line
        for run in catalog.runs.values()
        for cell in run.notebook.cells
        for output in cell.get("outputs", [])
        for line in output.get("text", "").splitlines()
        if line not in cell.source  # a table's heading, which the code has as it is
    ]
    numbers = [line for line in printed if len(re.findall(r"\d+\.\d+", line)) >= 2]
    assert len(numbers) > 100
    assert not [line for line in numbers if line.strip() in words]


def test_a_word_of_prose_is_found_on_its_page(visit, site, prose_word):
    word, path = prose_word
    page = visit("index.html")
    results = _search(page, word)
    assert _paths(results, site.url)[0] == path, f"searching '{word}'"
    results.and_(page.locator(f"[href*='h={word}']")).first.click()
    page.wait_for_url(f"{site.url}{path}?**")
    expect(page.locator("article mark").first).to_have_text(re.compile(word, re.IGNORECASE))


def test_each_function_is_found_on_its_snippets_page(visit, site, functions):
    page = visit("index.html")
    missed = []
    for name, snippet in functions.items():
        paths = _paths(_search(page, name), site.url)
        if f"snippets/{snippet}.html" not in paths[:3]:
            missed.append(f"'{name}' of {snippet}.py leads to {paths}")
    assert functions
    assert not missed, "\n".join(missed)


def test_the_result_for_a_function_opens_at_its_code(visit, site, functions):
    name, snippet = next(iter(functions.items()))
    page = visit("index.html")
    target = f"a[href*='snippets/{snippet}.html'][href*='#']"
    _search(page, name).and_(page.locator(target)).first.click()
    page.wait_for_url(f"{site.url}snippets/{snippet}.html**")
    heading = page.locator(f"[id='{page.url.split('#')[1]}']")
    expect(heading).to_be_in_viewport()
    expect(page.locator("article")).to_contain_text(f"def {name}(")


def test_search_works_in_a_folder_without_a_server(site, new_context, prose_word):
    word, path = prose_word
    page = new_context().new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    root = site.folder.as_uri() + "/"
    page.goto(root + "index.html")
    results = _search(page, word)
    assert _paths(results, root)[0] == path
    results.first.click()
    page.wait_for_url(f"{root}{path}?**")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert any("search_index" in url for url in requests)
    outside = [url for url in requests if not url.startswith((root, "data:", "blob:", "about:"))]
    assert not outside, f"these requests left the folder: {outside}"


def test_the_index_holds_text_that_a_reader_would_type(site):
    index = json.loads((site.folder / "search" / "search_index.json").read_text(encoding="utf-8"))
    pages = {Path(document["location"].split("#")[0]) for document in index["docs"]}
    assert pages == set(map(Path, site.pages)), "some pages cannot be found"
    for document in index["docs"]:
        shown = document["title"] + document["text"]
        for noise in ("¶", "In [", "Out[", "Copied!", "data:image", "<svg", "\\("):
            assert noise not in shown, f"{document['location']} has {noise!r} in the search index"


def test_the_index_leaves_out_what_drawings_and_figures_say(site):
    """Their text comes letter by letter, and would make excerpts that nobody can read."""
    index = (site.folder / "search" / "search_index.json").read_text(encoding="utf-8")
    words = " ".join(document["text"] for document in json.loads(index)["docs"])
    for path in site.pages:
        for text in site.html(path).xpath("//svg[@class='drawing']/desc/text()"):
            assert text not in words, f"{path}: the search index holds a drawing: '{text[:60]}'"


def _search(page, text):
    """Types into the search box; gives the results' links once they are those for this text."""
    box = page.get_by_role("textbox", name="Search")
    # The page searches at each key: the last one alone is pressed, and waited for.
    box.fill(text[:-1])
    box.press_sequentially(text[-1])
    # A result's link carries the terms that it matched.
    terms = "+".join(text.lower().split())
    page.wait_for_function(
        """terms => [...document.querySelectorAll('.md-search-result__link')].some(link => {
            const found = new URL(link.href).searchParams.get('h')?.toLowerCase().split(' ') ?? []
            return terms.split('+').every(term => found.includes(term) || STOP.includes(term))
        })""".replace("STOP", json.dumps(STOP_WORDS)),
        arg=terms,
    )
    return page.locator(".md-search-result__link")


def _paths(links, root):
    """The pages that the results lead to, each once, in order."""
    hrefs = [link.get_attribute("href") for link in links.all()]
    return list(dict.fromkeys(re.split("[?#]", href.removeprefix(root))[0] for href in hrefs))
