"""Reads a snippet, a program in jupytext's percent format, cell by cell, without running it."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import jupytext
import nbformat

from readinglist.faults import Fault, Faults, nearest

MARKER = re.compile(r"^# %%(?P<rest>.*)$")
CELL_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
METADATA = re.compile(r"^# /// script\n(?P<body>(?:#(?:| .*)\n)+?)# ///$", re.MULTILINE)
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)$")


@dataclass(frozen=True)
class Cell:
    """One cell; `line` is the line of its marker in the file."""

    name: str
    source: str
    line: int
    markdown: bool = False
    demo: bool = False
    alt: str = ""


@dataclass
class Snippet:
    """A snippet as written: cells, dependencies and what its first cell says about it."""

    path: Path
    cells: list[Cell] = field(default_factory=list)
    dependencies: dict[str, str] = field(default_factory=dict)
    concept: str = ""

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def code(self) -> dict[str, Cell]:
        return {cell.name: cell for cell in self.cells if not cell.markdown}

    @property
    def _introduction(self) -> list[str]:
        first = self.cells[0]
        return first.source.split("\n\n") if first.markdown else []

    @property
    def title(self) -> str:
        return self._introduction[0].removeprefix("# ").strip()

    @property
    def summary(self) -> str:
        return " ".join(self._introduction[1].split())

    @cached_property
    def assertions(self) -> int:
        """Assert statements outside functions: each of them held if the snippet ran to its end."""
        return sum(_top_level_asserts(ast.parse(cell.source)) for cell in self.code.values())

    def notebook(self) -> nbformat.NotebookNode:
        """The snippet as a notebook to run, cell for cell."""
        cells: list[dict[str, object]] = []
        for index, cell in enumerate(self.cells):
            # A fixed id, so that the same program gives the same notebook.
            node: dict[str, object] = {"id": f"cell-{index}", "metadata": {}, "source": cell.source}
            if cell.markdown:
                node |= {"cell_type": "markdown"}
            else:
                node |= {"cell_type": "code", "metadata": {"name": cell.name}}
                node |= {"outputs": [], "execution_count": None}
            cells.append(node)
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = {
            "cells": cells,
            "metadata": {"kernelspec": kernel},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return nbformat.from_dict(notebook)


def _top_level_asserts(node: ast.AST) -> int:
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, inner)]
    return isinstance(node, ast.Assert) + sum(_top_level_asserts(child) for child in children)


def read_snippet(path: Path, pins: dict[str, str], siblings: set[str]) -> Snippet:
    """The snippet at `path`, checked against the pins of requirements.txt and its siblings' names.

    Raises:
        Faults: everything that is wrong with it, each with its line.
    """
    text = path.read_text(encoding="utf-8")
    markers = [number for number, line in enumerate(text.splitlines(), 1) if MARKER.match(line)]
    head = text.split("# %%", 1)[0]
    body = text[len(head) :]
    nodes = jupytext.reads(body, fmt="py:percent").cells
    if len(nodes) != len(markers):
        found = f"{len(markers)} markers but {len(nodes)} cells"
        raise Faults([Fault(path, 1, f"{found}; start every cell with one '# %% name' line")])
    cells = [_cell(node, line) for node, line in zip(nodes, markers, strict=True)]
    snippet = Snippet(path, cells)
    faults = list(_cell_faults(snippet))
    faults += _read_metadata(snippet, head)
    imports = []
    for cell in snippet.cells:
        if cell.markdown:
            continue
        try:
            imports += [(name, cell.line + line) for name, line in _imports(cell.source)]
        except SyntaxError as error:
            line = cell.line + (error.lineno or 0)
            faults.append(Fault(path, line, f"this does not parse: {error.msg}; mend it"))
    if not faults:
        faults += _import_faults(snippet, imports, siblings)
        faults += _pin_faults(snippet, pins)
    if faults:
        raise Faults(faults)
    return snippet


def _cell(node: nbformat.NotebookNode, line: int) -> Cell:
    return Cell(
        name=node.metadata.get("title", ""),
        source=node.source,
        line=line,
        markdown=node.cell_type != "code",
        demo="demo" in node.metadata.get("tags", []),
        alt=node.metadata.get("alt", ""),
    )


def _cell_faults(snippet: Snippet) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    if not snippet.cells or not re.match(r"# .+\n\n\S", snippet.cells[0].source):
        yield Fault(
            snippet.path,
            1,
            "the first cell must be '# %% [markdown]' with '# # Title', '#' and a sentence",
        )
    for cell in snippet.cells:
        if cell.markdown:
            continue
        if not CELL_NAME.match(cell.name):
            found = f"'{cell.name}'" if cell.name else "no name"
            yield Fault(
                snippet.path,
                cell.line,
                f"this cell has {found}; name it in snake_case, as in '# %% loss_curve'",
            )
        elif cell.name in seen:
            yield Fault(
                snippet.path,
                cell.line,
                f"a second cell named '{cell.name}' (first: line {seen[cell.name]}); rename one",
            )
        seen.setdefault(cell.name, cell.line)


def _read_metadata(snippet: Snippet, head: str) -> Iterator[Fault]:
    """Reads the PEP 723 block into the snippet; yields what is wrong with it."""
    expected = "put '# /// script', dependencies, [tool.recurrent] with concept, '# ///' at the top"
    match = METADATA.search(head)
    if not match:
        yield Fault(snippet.path, 1, f"there is no dependency block (PEP 723); {expected}")
        return
    line = head.count("\n", 0, match.start()) + 1
    try:
        data = tomllib.loads(re.sub(r"^# ?", "", match["body"], flags=re.MULTILINE))
    except tomllib.TOMLDecodeError as error:
        yield Fault(snippet.path, line, f"the dependency block is not TOML: {error}; {expected}")
        return
    snippet.concept = data.get("tool", {}).get("recurrent", {}).get("concept", "")
    if not snippet.concept:
        yield Fault(snippet.path, line, f"the dependency block names no concept; {expected}")
    for requirement in data.get("dependencies", []):
        if pin := PIN.match(requirement):
            snippet.dependencies[pin["name"].lower()] = pin["version"]
        else:
            yield Fault(
                snippet.path, line, f"'{requirement}' is not an exact pin; write name==version"
            )


def _imports(source: str) -> list[tuple[str, int]]:
    """Top-level names of the modules that a cell imports, with the line within the cell."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [(alias.name.split(".")[0], node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(("." if node.level else (node.module or "").split(".")[0], node.lineno))
    return names


@cache
def _distributions() -> dict[str, list[str]]:
    return {
        k: [d.lower() for d in v] for k, v in importlib.metadata.packages_distributions().items()
    }


def _import_faults(
    snippet: Snippet, imports: list[tuple[str, int]], siblings: set[str]
) -> Iterator[Fault]:
    used = set()
    for module, line in imports:
        if module in siblings or module in {".", "readinglist"}:
            what = (
                "the project itself"
                if module in {".", "readinglist"}
                else f"the snippet '{module}'"
            )
            yield Fault(
                snippet.path,
                line,
                f"imports {what}; a snippet stands alone, so copy in the few lines it needs",
            )
        elif module not in sys.stdlib_module_names:
            names = (
                [module]
                if module in snippet.dependencies
                else _distributions().get(module, [module])
            )
            declared = [name for name in names if name in snippet.dependencies]
            used.update(declared)
            if not declared:
                yield Fault(
                    snippet.path,
                    line,
                    f"imports '{module}', which the dependency block does not declare; "
                    f"add '{names[0]}==...' as pinned in requirements.txt",
                )
    for name in sorted(snippet.dependencies.keys() - used):
        yield Fault(
            snippet.path, 1, f"declares '{name}' but does not import it; remove it from the block"
        )


def _pin_faults(snippet: Snippet, pins: dict[str, str]) -> Iterator[Fault]:
    for name, version in snippet.dependencies.items():
        if name not in pins:
            yield Fault(
                snippet.path,
                1,
                f"declares '{name}', which requirements.txt does not pin; {nearest(name, pins)}",
            )
        elif pins[name] != version:
            yield Fault(
                snippet.path,
                1,
                f"declares {name}=={version}, but requirements.txt pins {pins[name]}; use that",
            )


def read_pins(path: Path) -> dict[str, str]:
    """Name and version of each exact pin in a requirements file."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {pin["name"].lower(): pin["version"] for line in lines if (pin := PIN.match(line))}
