"""Reading a resource: the front matter against its one schema, each mistake with its line."""

from __future__ import annotations

import pytest

from readinglist.sources.resource import read_resource, split_front_matter

ALL = (
    "title, authors, year, kind, venue, url, licence, citation_key, order, minutes, "
    "level, after, prerequisites, concepts, why, skip, outcome, status"
)
SORTED = ", ".join(sorted([*ALL.split(", "), "day", "doi", "pages"]))
KINDS = "'blog post', 'tutorial', 'preprint', 'conference paper' or 'journal article'"
# The line of each field in the text that the builder writes.
LINE = {name: number for number, name in enumerate(ALL.split(", "), 2)}


@pytest.fixture
def page(tmp_path, text_of_resource):
    """Writes `thing.md` and gives its path."""

    def write(text: str | None = None, **fields: object):
        path = tmp_path / "thing.md"
        path.write_text(text if text is not None else text_of_resource(**fields), encoding="utf-8")
        return path

    return write


@pytest.fixture
def wrong(page, faults_of):
    """What is wrong with a page of this text or these fields."""
    return lambda text=None, **fields: faults_of(read_resource, page(text, **fields))


def test_a_resource_knows_its_fields_and_where_it_stands(page):
    path = page(body="# Text\n\nmore")
    resource = read_resource(path)
    assert (resource.title, resource.year, resource.kind) == ("A Title", 1997, "journal article")
    assert (str(resource.url), resource.slug, resource.path) == (
        "https://example.org/original",
        "thing",
        path,
    )
    assert (resource.body, resource.annotated) == ("# Text\n\nmore\n", True)
    assert resource.lines["status"] == LINE["status"]


@pytest.mark.parametrize(
    ("authors", "names"),
    [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")],
)
def test_the_citation_is_made_from_the_fields(page, authors, names):
    assert read_resource(page(authors=authors)).citation == f"{names} (1997). A Title. A Journal."


def test_a_title_that_ends_in_a_mark_gets_no_full_stop_in_the_citation(page):
    assert read_resource(page(title="All?")).citation.endswith("(1997). All? A Journal.")


def test_sentences_come_on_one_line(page):
    resource = read_resource(page(why="Read it.\nThen read\nit again."))
    assert resource.why == "Read it. Then read it again."


def test_a_missing_field(wrong):
    assert wrong(level=None) == [f"thing.md:1: the front matter lacks 'level'; it needs {ALL}"]


def test_an_unknown_field_with_the_nearest_one(wrong):
    assert wrong(minuts=3) == [
        f"thing.md:{LINE['status'] + 1}: the front matter has an unknown field 'minuts'; "
        f"did you mean 'minutes'? It has: {SORTED}"
    ]


@pytest.mark.parametrize("name", ["body", "path", "lines"])
def test_a_name_that_the_build_uses_itself_is_unknown_too(wrong, text_of_resource, name):
    (line,) = wrong(text_of_resource().replace("title:", f"{name}: x\ntitle:"))
    assert line.startswith(f"thing.md:2: the front matter has an unknown field '{name}'; ")


@pytest.mark.parametrize(
    ("field", "value", "shown", "allowed"),
    [
        ("year", "1997", "'1997'", "input should be a valid integer"),
        ("year", 1939, "1939", "input should be greater than or equal to 1940"),
        ("order", 0, "0", "input should be greater than or equal to 1"),
        ("minutes", "ten", "'ten'", "input should be a valid integer"),
        ("title", "", "''", "string should have at least 1 character"),
        ("title", 1984, "1984", "input should be a valid string"),
        ("kind", "book", "'book'", f"input should be {KINDS}"),
        ("authors", "Ada", "'Ada'", "input should be a valid list"),
        ("authors", [], "[]", "list should have at least 1 item after validation, not 0"),
        ("authors", ["Ada", 7], "7", "input should be a valid string"),
        ("level", "easy", "'easy'", "input should be 'introductory', 'intermediate' or 'advanced'"),
        ("status", "draft", "'draft'", "input should be 'annotated' or 'listed'"),
        ("url", "example.org", "'example.org'", "input should be a valid URL, relative URL "
         "without a base"),
        ("url", "ftp://a.org", "'ftp://a.org'", "URL scheme should be 'http' or 'https'"),
        ("url", 3, "3", "URL input should be a string or URL"),
        ("after", "one", "'one'", "input should be a valid list"),
        ("outcome", "no end", "'no end'", "must be one to three sentences"),
        ("citation_key", "Ada97", "'Ada97'", "string should match pattern "
         "'^[a-z]+[0-9]{4}[a-z]+$'"),
        ("why", "no end", "'no end'", "must be one to three sentences"),
        ("skip", "A. B. C. D.", "'A. B. C. D.'", "must be one to three sentences"),
    ],
)  # fmt: skip
def test_a_wrong_value(wrong, field, value, shown, allowed):
    assert wrong(**{field: value}) == [f"thing.md:{LINE[field]}: '{field}' is {shown}: {allowed}"]


def test_several_mistakes_come_together_in_the_order_of_the_file(wrong):
    lines = wrong(year="old", kind="book", level=None)
    assert [line.split(":")[1] for line in lines] == ["1", str(LINE["year"]), str(LINE["kind"])]


def test_no_front_matter(wrong):
    expected = [f"thing.md:1: there is no front matter; start with '---' and {ALL}"]
    assert wrong("# Only text\n") == expected
    assert wrong("") == expected


def test_front_matter_without_an_end(wrong):
    assert wrong("---\ntitle: A\n") == [
        "thing.md:1: the front matter has no end; close it with a line '---'"
    ]


@pytest.mark.parametrize("front", ["", "- a\n- b\n", "just words\n"])
def test_front_matter_without_fields(wrong, front):
    assert wrong(f"---\n{front}---\n") == [
        f"thing.md:2: the front matter holds no fields; it needs {ALL}"
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("why: It says: this.", "mapping values are not allowed here"),
        ("authors: [Ada", "expected ',' or ']', but got ':'"),
        ("\ttitle: A", "found character '\\t' that cannot start any token"),
    ],
)
def test_front_matter_that_is_not_yaml(wrong, line, problem):
    (message,) = wrong(f"---\ntitle: A\n{line}\nyear: 3\n---\n")
    number = 4 if "[" in line else 3
    assert message == (
        f"thing.md:{number}: the front matter is not YAML: {problem}; "
        "a value with a ': ' or a special sign at its start needs quotes"
    )


def test_an_annotated_page_without_text(wrong):
    assert wrong(body="") == [
        f"thing.md:{LINE['status']}: status is 'annotated' but the page is empty; "
        "write it or set status: listed"
    ]


def test_a_listed_page_with_text(wrong):
    assert wrong(status="listed") == [
        f"thing.md:{LINE['status']}: status is 'listed', so the text below is not shown; "
        "set status: annotated or remove it"
    ]


def test_a_file_that_ends_with_the_front_matter(page, text_of_resource):
    text = text_of_resource(body="", status="listed").rstrip("\n")
    assert text.endswith("\n---")
    assert not read_resource(page(text)).annotated


def test_windows_line_ends_a_byte_order_mark_and_spaces_are_no_matter(tmp_path, text_of_resource):
    path = tmp_path / "thing.md"
    text = text_of_resource().replace("---\n", "--- \n").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_resource(path).body == "Some text.\n"


def test_bytes_that_are_not_utf8(tmp_path, text_of_resource, faults_of):
    path = tmp_path / "thing.md"
    path.write_bytes(text_of_resource(title="Café").encode("latin-1"))
    assert faults_of(read_resource, path) == [
        "thing.md:2: this is not UTF-8: the byte 0xe9; save the file as UTF-8"
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("---\na: 1\nb: 2\n---\n\nText\n", ("a: 1\nb: 2\n", "\nText\n", 4)),
        ("Text\n---\nmore\n---\n", ("", "Text\n---\nmore\n---\n", 0)),
        ("---\na: 1\n---\nText\n---\nmore\n", ("a: 1\n", "Text\n---\nmore\n", 3)),
    ],
)
def test_front_matter_is_split_off_with_the_lines_it_takes(text, parts):
    assert split_front_matter(text) == parts
