"""Which cells show an image or play a sound, to judge from their code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from readinglist.sources.snippet import Cell, Snippet, parsed

DRAWS = {"plt.figure", "plt.subplots", "plt.subplot_mosaic", "plt.show"}


PLAYS = {"Audio", "IPython.display.Audio", "display.Audio"}


def showing(snippet: Snippet) -> Iterator[tuple[Cell, str]]:
    """The cells that `show an image` or `play a sound`, themselves or by a function they call.

    What a snippet does as a program alone, below `if __name__ ...`, does not count.
    """
    functions: dict[str, set[str]] = {}
    for cell in snippet.code.values():
        for node in parsed(cell.source).body:
            if isinstance(node, ast.FunctionDef):
                functions[node.name] = set(_calls(node))
    for cell in snippet.code.values():
        run = [node for node in parsed(cell.source).body if not _is_aside(node)]
        called = _reached({name for node in run for name in _calls(node)}, functions)
        if called & DRAWS:
            yield cell, "show an image"
        elif called & PLAYS:
            yield cell, "play a sound"


def _reached(called: set[str], functions: dict[str, set[str]]) -> set[str]:
    """These calls, and those that the snippet's own functions among them make in turn."""
    reached: set[str] = set()
    while called:
        reached |= called
        called = set().union(*(functions.get(name, set()) for name in called)) - reached
    return reached


def _calls(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            yield ast.unparse(inner.func)


def _is_aside(node: ast.stmt) -> bool:
    """A definition, or what runs in a program alone."""
    program = isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
    return program or isinstance(node, ast.FunctionDef | ast.ClassDef)
