"""A run that is not there (yet): pages can be read and shown without it."""

import ast
import datetime
from collections.abc import Iterator

import nbformat

from readinglist.running.store import Run, environment
from readinglist.sources.snippet import Snippet, parsed


class Unknown:
    """A value that no run has given yet: shown as an ellipsis, in whatever format."""

    def __format__(self, spec: str) -> str:
        return "…"


def pending_run(snippet: Snippet, says: str = "") -> Run:
    """A run of `snippet` whose demo cells show the text `says`, and whose values are unknown."""
    notebook = snippet.notebook()
    demos = {cell.name for cell in snippet.code.values() if cell.demo}
    for cell in notebook.cells:
        if says and cell.metadata.get("name") in demos:
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=says)]
    return Run(
        seconds=0.0,
        date=datetime.date.today().isoformat(),
        assertions=snippet.assertions,
        versions=environment(snippet),
        values={name: {"value": Unknown()} for name in assigned(snippet)},
        notebook=notebook,
        pending=True,
    )


def assigned(snippet: Snippet) -> set[str]:
    """The variables that a snippet's cells give a value, without running them."""
    return {name for cell in snippet.code.values() for name in bound_names(parsed(cell.source))}


def bound_names(node: ast.AST) -> Iterator[str]:
    """Names bound in a cell's own scope, or declared global in a function."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.comprehension)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, inner):
            declared = (sub for sub in ast.walk(child) if isinstance(sub, ast.Global))
            yield from (name for statement in declared for name in statement.names)
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        else:
            yield from bound_names(child)
