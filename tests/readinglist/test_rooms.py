"""Who may import whom in the build layer."""

from __future__ import annotations

import ast

import pytest

NEVER = {
    "sources": {"running", "pages", "site", "commands"},
    "running": {"pages", "site", "commands"},
    "pages": {"site", "commands"},
    "site": {"commands"},
    "commands": {"site"},
}


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


@pytest.mark.parametrize("room", ["", *NEVER])
def test_no_room_imports_one_above_it(root, room):
    never = tuple(f"readinglist.{name}" for name in NEVER.get(room, NEVER))
    for path in (root / "readinglist" / room).glob("[!_]*.py"):
        generator = () if path.name == "mkdocs_hook.py" else ("mkdocs",)
        for node in ast.walk(ast.parse(path.read_text())):
            wrong = [name for name in imported(node) if name.startswith((*never, *generator))]
            assert not wrong, f"{path}:{node.lineno} imports {wrong[0]}"
