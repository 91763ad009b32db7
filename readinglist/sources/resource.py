"""Reads a resource: a page whose front matter says everything about the work it annotates."""

import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from readinglist.faults import Fault, Faults, nearest, read_text
from readinglist.sources.works import Text, Work

SLUG = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
# How the sentences begin that wait for others.
PROMPT = "Say here in one to three sentences"
FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(?P<yaml>.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)


def _sentences(text: str) -> str:
    if not 1 <= len(re.findall(r"[.!?](?:\s|$)", text)) <= 3:
        raise ValueError("must be one to three sentences")
    return " ".join(text.split())


Sentences = Annotated[Text, AfterValidator(_sentences)]


class FrontMatter(Work):
    """What a page says about its resource. The field order is that of the template."""

    order: Annotated[int, Field(ge=1)]
    minutes: Annotated[int, Field(ge=1)]
    level: Literal["introductory", "intermediate", "advanced"]
    after: list[Text]
    prerequisites: list[Text]
    concepts: Annotated[list[Text], Field(min_length=1)]
    why: Sentences
    skip: Sentences
    outcome: Sentences
    status: Literal["annotated", "listed"]


class Resource(FrontMatter):
    """What the site knows about one resource: its front matter, and where that stands."""

    path: Path
    body: str
    lines: dict[str, int]  # of each field in the file

    @property
    def slug(self) -> str:
        return self.path.stem

    @property
    def annotated(self) -> bool:
        return self.status == "annotated"


REQUIRED = [name for name, field in FrontMatter.model_fields.items() if field.is_required()]
NEEDS = f"it needs {', '.join(REQUIRED)}"


def resource_name_problem(slug: str) -> str:
    """What is wrong with the name of a resource's file, less its ending; empty if nothing is."""
    if not SLUG.match(slug):
        allowed = "small letters, digits and hyphens, as in deep-rnn-speech.md"
        return f"a resource's file is named in {allowed}; found '{slug}.md'"
    return ""


def split_front_matter(text: str) -> tuple[str, str, int]:
    """The YAML, the body, and how many lines stand before the body."""
    if not (match := FRONT_MATTER.match(text)):
        return "", text, 0
    return match["yaml"], text[match.end() :], text.count("\n", 0, match.end())


def read_resource(path: Path) -> Resource:
    """The resource described by the front matter of `path`.

    Raises:
        Faults: everything that is wrong with the front matter, each with its line.
    """
    text = read_text(path)
    front, body, before = split_front_matter(text)
    if not before:
        message = f"there is no front matter; start with '---' and {', '.join(REQUIRED)}"
        if re.match(r"---[ \t]*\n", text):
            message = "the front matter has no end; close it with a line '---'"
        raise Faults([Fault(path, 1, message)])
    try:
        data = yaml.safe_load(front)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        found = f"the front matter is not YAML: {getattr(error, 'problem', error)}"
        remedy = "a value with a ': ' or a special sign at its start needs quotes"
        raise Faults([Fault(path, line, f"{found}; {remedy}")]) from None
    if not isinstance(data, dict):
        raise Faults([Fault(path, 2, f"the front matter holds no fields; {NEEDS}")])
    lines = {str(key.value): key.start_mark.line + 2 for key, _ in yaml.compose(front).value}
    try:
        fields = FrontMatter.model_validate(data)
    except ValidationError as error:
        problems = [(str(problem["loc"][0]), problem) for problem in error.errors()]
        faults = [Fault(path, lines.get(name, 1), _message(name, p)) for name, p in problems]
        raise Faults(faults) from None
    resource = Resource.model_construct(**dict(fields), path=path, body=body, lines=lines)
    if resource.annotated != bool(body.strip()):
        remedy = "set status: annotated or remove it"
        message = f"status is 'listed', so the text below is not shown; {remedy}"
        if resource.annotated:
            message = "status is 'annotated' but the page is empty; write it or set status: listed"
        raise Faults([Fault(path, lines["status"], message)])
    return resource


def _message(name: str, problem: ErrorDetails) -> str:
    """What is wrong with the field of that name."""
    if problem["type"] == "missing":
        return f"the front matter lacks '{name}'; {NEEDS}"
    if problem["type"] == "extra_forbidden":
        known = FrontMatter.model_fields
        return f"the front matter has an unknown field '{name}'; {nearest(name, known)}"
    allowed = problem["msg"].removeprefix("Value error, ")
    if not allowed.startswith("URL"):
        allowed = allowed[0].lower() + allowed[1:]
    return f"'{name}' is {problem['input']!r}: {allowed}"
