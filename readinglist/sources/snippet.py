"""Reads a snippet, a program in jupytext's percent format, cell by cell, without running it."""

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jupytext
import nbformat

from readinglist.faults import Fault, Faults, read_text
from readinglist.memory import remembered
from readinglist.sources.dependencies import block_faults, imports, read_dependencies

MARKER = re.compile(r"^# %%", re.MULTILINE)
ODD_MARKER = re.compile(r"^(?:[ \t]+# ?|#)%%", re.MULTILINE)
CODE = re.compile(r"^(?!#).*\S", re.MULTILINE)  # a line of it, where only comments may stand
INTRODUCTION = re.compile(r"# .+\n\n\S")
SNAKE_CASE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
CELL_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
HEADING = re.compile(r"^#+ +(?P<text>.+?) *$")
# Comments stay comments: Jupytext would take "# copy the weights" for a shell command.
FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

# Written out: the functions that nbformat has for this validate each cell, which takes longer.
NOT_RUN: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
NOTEBOOK = {"metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}


@cache
def parsed(source: str) -> ast.Module:
    """The syntax tree of a cell; whoever looks at it changes nothing in it."""
    return ast.parse(source)


@dataclass(frozen=True)
class Cell:
    """One cell; `line` is the line of its marker in the file."""

    name: str
    source: str
    line: int
    markdown: bool = False
    demo: bool = False
    timed: bool = False  # its outputs depend on the speed of the machine
    alt: str = ""


@dataclass
class Snippet:
    """A snippet as written: cells, dependencies and what its first cell says about it."""

    path: Path
    cells: list[Cell] = field(default_factory=list)
    dependencies: dict[str, str] = field(default_factory=dict)  # name to range, as in >=2.6
    concept: str = ""
    deprecations: dict[str, str] = field(default_factory=dict)  # part of a warning: the reason

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def code(self) -> dict[str, Cell]:
        return {cell.name: cell for cell in self.cells if not cell.markdown}

    @property
    def title(self) -> str:
        return self.cells[0].source.split("\n\n")[0].removeprefix("# ").strip()

    @property
    def summary(self) -> str:
        """The first paragraph as plain text."""
        return " ".join(self.cells[0].source.split("\n\n")[1].split()).replace("`", "")

    @property
    def assertions(self) -> int:
        """Assert statements outside functions: each of them held if the snippet ran to its end."""
        return sum(_facts(cell.source)["assertions"] for cell in self.code.values())

    def notebook(self) -> nbformat.NotebookNode:
        """The snippet as a notebook to run, cell for cell."""
        cells = []
        for index, cell in enumerate(self.cells):
            # A fixed id, so that the same program gives the same notebook.
            node = {"id": f"cell-{index}", "source": cell.source}
            if cell.markdown:
                cells.append({**node, "cell_type": "markdown", "metadata": {}})
            else:
                cells.append({**node, **NOT_RUN, "metadata": {"name": cell.name}})
        return nbformat.from_dict({**NOTEBOOK, "cells": cells})


@remembered()
def _facts(source: str) -> dict[str, Any]:
    """What the syntax tree of a cell tells: its assertions, and its imports, or the error that
    keeps it from being parsed, with their lines."""
    try:
        tree = parsed(source)
        compile(tree, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return {"assertions": 0, "imports": [], "errors": [(error.msg, error.lineno or 0)]}
    return {"assertions": _top_level_asserts(tree), "imports": imports(tree), "errors": []}


def _top_level_asserts(node: ast.AST) -> int:
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, inner)]
    return isinstance(node, ast.Assert) + sum(_top_level_asserts(child) for child in children)


def read_snippet(path: Path, pins: dict[str, str], siblings: set[str]) -> Snippet:
    """The snippet at `path`, checked against the pins of requirements.txt and its siblings' names.

    Raises:
        Faults: everything that is wrong with it, each with its line.
    """
    text = read_text(path)
    head, cells = _cells(path, text)
    block, faults = read_dependencies(path, head)
    snippet = Snippet(path, cells, block.ranges, block.concept, block.deprecations)
    code = [(cell.line, _facts(cell.source)) for cell in cells if not cell.markdown]
    imported, errors = (
        [(fact, line + below) for line, facts in code for fact, below in facts[kind]]
        for kind in ("imports", "errors")
    )
    # A block or a cell that cannot be read would make the imports look wrong as well.
    if not faults and not errors:
        faults += block_faults(path, block, imported, siblings, pins)
    faults += [Fault(path, line, f"this does not parse: {why}; mend it") for why, line in errors]
    faults += _faults(snippet, head)
    if faults:
        raise Faults(faults)
    return snippet


def _cells(path: Path, text: str) -> tuple[str, list[Cell]]:
    """The text before the first cell, and the cells."""
    head = MARKER.split(text, maxsplit=1)[0]
    lines = _lines(MARKER, text)
    cells = _read_cells(text[len(head) :]) if lines else []
    if len(cells) == len(lines):
        return head, [Cell(line=line, **cell) for cell, line in zip(cells, lines, strict=True)]
    message = "this line is not quite a marker"
    if not (odd := _lines(ODD_MARKER, text)):
        odd = lines[:1]
        message = f"a line inside a string looks like a marker; the markers are lines {lines}"
    allowed = "a cell starts with '# %% name' at the start of its line, and no other line may"
    raise Faults(Fault(path, line, f"{message}; {allowed}") for line in odd)


def _lines(pattern: re.Pattern[str], text: str) -> list[int]:
    return [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]


@remembered("jupytext")
def _read_cells(text: str) -> list[dict[str, Any]]:
    """The fields of each cell, but for its line."""
    return [
        {
            "name": node.metadata.get("title", ""),
            "source": node.source,
            "markdown": node.cell_type != "code",
            "demo": "demo" in node.metadata.get("tags", []),
            "timed": "timed" in node.metadata.get("tags", []),
            "alt": str(node.metadata.get("alt", "")),
        }
        for node in jupytext.reads(text, fmt=FORMAT).cells
    ]


def _faults(snippet: Snippet, head: str) -> Iterator[Fault]:
    """What is wrong with the form of a snippet: `head`, the first cell, names and headings."""
    path, cells = snippet.path, snippet.cells
    for line in _lines(CODE, head)[:1]:
        message = "this stands before the first cell, where it is neither run nor shown"
        yield Fault(path, line, f"{message}; move it into a cell")
    if not cells or not cells[0].markdown or not INTRODUCTION.match(cells[0].source):
        message = "the first cell must be '# %% [markdown]' with '# # Title', '#' and a sentence"
        yield Fault(path, cells[0].line if cells else 1, message)
    lines: dict[str, int] = {}
    for cell in cells:
        if cell.markdown:
            yield from _heading_faults(snippet, cell)
        elif not CELL_NAME.match(cell.name):
            what = f"'{cell.name}'" if cell.name else "no name"
            message = f"this cell has {what}; name it in snake_case, as in '# %% loss_curve'"
            yield Fault(path, cell.line, message)
        elif (first := lines.setdefault(cell.name, cell.line)) != cell.line:
            message = f"a second cell named '{cell.name}' (first: line {first}); rename one"
            yield Fault(path, cell.line, message)


def _heading_faults(snippet: Snippet, prose: Cell) -> Iterator[Fault]:
    """A heading and a cell both become anchors of the snippet's page, where each is unique."""
    for number, line in enumerate(prose.source.splitlines(), 1):
        heading = HEADING.match(line)
        if heading and (name := heading["text"].lower()) in snippet.code:
            message = f"the heading '{heading['text']}' has the anchor of the cell '{name}'"
            yield Fault(snippet.path, prose.line + number, f"{message}; rename one")


def snippet_name_problem(name: str) -> str:
    """What is wrong with the name of a snippet; empty if nothing is."""
    if not SNAKE_CASE.match(name):
        return f"a snippet's name is its concept in snake_case, as in lstm_step; found '{name}'"
    if name in sys.stdlib_module_names or importlib.util.find_spec(name):
        found = f"'{name}' is the name of a module, which the file would hide from its neighbours"
        return f"{found}; take another, as in {name}_by_hand"
    return ""


def definitions(path: Path) -> SimpleNamespace:
    """The names that the snippet's cells without the tag `demo` define; no other cell runs."""
    _, cells = _cells(path, read_text(path))
    code = [cell.source for cell in cells if not cell.markdown and not cell.demo]
    namespace: dict[str, object] = {"__name__": path.stem}
    exec(compile("\n\n".join(code), str(path), "exec", dont_inherit=True), namespace)
    return SimpleNamespace(**namespace)
