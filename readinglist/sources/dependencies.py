"""A snippet's dependency block (PEP 723): read, and held against its imports and the pins."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from readinglist.faults import Fault, nearest

BLOCK = re.compile(r"^# /// script\n(?P<body>(?:#(?:| .*)\n)+?)# ///$", re.MULTILINE)
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)$")
# Packages to import, and packages of texts, which are found by name and read without an import.
REQUIREMENTS = ("requirements.txt", "requirements-data.txt")
EXPECTED = "put '# /// script', dependencies, [tool.recurrent] with concept, '# ///' at the top"


@dataclass
class Dependencies:
    """What the block declares: name to version, the line of each, the snippet's concept, and the
    deprecations it knows of: part of the warning's text to the reason for leaving it."""

    versions: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    concept: str = ""
    deprecations: dict[str, str] = field(default_factory=dict)


def read_dependencies(path: Path, head: str) -> tuple[Dependencies, list[Fault]]:
    """The block in `head`, the text before the first cell, and what is wrong with it."""
    block = Dependencies()
    match = BLOCK.search(head)
    if not match:
        return block, [Fault(path, 1, f"there is no dependency block (PEP 723); {EXPECTED}")]
    line = head.count("\n", 0, match.start()) + 1
    try:
        data = tomllib.loads(re.sub(r"^# ?", "", match["body"], flags=re.MULTILINE))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), .*\)$", str(error))
        what = str(error)[: at.start()] if at else str(error)
        line += int(at[1]) if at else 0
        return block, [Fault(path, line, f"the dependency block is not TOML: {what}; {EXPECTED}")]
    faults = []
    concept = _inside(data, "tool", "recurrent", "concept")
    if isinstance(concept, str) and concept.strip():
        block.concept = concept.strip()
    else:
        faults.append(Fault(path, line, f"the dependency block names no concept; {EXPECTED}"))
    known = _inside(data, "tool", "recurrent", "deprecations") or {}
    if isinstance(known, dict) and all(_is_text(part) for pair in known.items() for part in pair):
        block.deprecations = known
    else:
        message = "the deprecations of the dependency block are not texts with their reasons"
        remedy = 'write "part of the warning" = "why it stays" in [tool.recurrent.deprecations]'
        faults.append(Fault(path, line, f"{message}; {remedy}"))
    requirements = data.get("dependencies")
    if not isinstance(requirements, list):
        remedy = 'write dependencies = ["name==version"], or [] for none'
        faults.append(Fault(path, line, f"the dependency block lists no dependencies; {remedy}"))
        return block, faults
    for requirement in map(str, requirements):
        where = _line_of(head, requirement) or line
        if pin := PIN.match(requirement):
            block.versions[pin["name"].lower()] = pin["version"]
            block.lines[pin["name"].lower()] = where
        else:
            message = f"'{requirement}' is not an exact pin; write name==version"
            faults.append(Fault(path, where, message))
    return block, faults


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _inside(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _line_of(text: str, part: str) -> int:
    return next((n for n, line in enumerate(text.splitlines(), 1) if part in line), 0)


def imports(cell: ast.Module) -> list[tuple[str, int]]:
    """Top-level names of the modules that a cell imports, or finds to read the files beside them.

    Each with the line within the cell.
    """
    names = []
    for node in ast.walk(cell):
        if isinstance(node, ast.Import):
            names += [(alias.name.split(".")[0], node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(("." if node.level else (node.module or "").split(".")[0], node.lineno))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "find_spec":
            names += [(str(a.value), a.lineno) for a in node.args if isinstance(a, ast.Constant)]
    return names


@cache
def _distributions() -> dict[str, list[str]]:
    installed = importlib.metadata.packages_distributions()
    return {module: [name.lower() for name in names] for module, names in installed.items()}


def _packages(module: str, block: Dependencies) -> list[str]:
    """The packages that a module may be from: its namesake, or those that are installed here."""
    namesake = module.lower().replace("_", "-")
    # To look through all that is installed takes half a second.
    return [namesake] if namesake in block.versions else _distributions().get(module, [module])


def import_faults(
    path: Path,
    block: Dependencies,
    imported: list[tuple[str, int]],
    siblings: set[str],
    pins: dict[str, str],
) -> Iterator[Fault]:
    """What the cells import, with the line in the file, against what the block declares."""
    used = set()
    for module, line in imported:
        itself = module in {".", "readinglist"}
        if itself or module in siblings:
            what = "the project itself" if itself else f"the snippet '{module}'"
            message = f"imports {what}; a snippet stands alone, so copy in the few lines it needs"
            yield Fault(path, line, message)
        elif module not in sys.stdlib_module_names:
            names = _packages(module, block)
            declared = [name for name in names if name in block.versions]
            used.update(declared)
            if not declared:
                message = f"imports '{module}', which the dependency block does not declare"
                yield Fault(path, line, f"{message}; {_how_to_declare(names[0], pins)}")
    for name in sorted(block.versions.keys() - used):
        message = f"declares '{name}' but does not import it; remove it from the block"
        yield Fault(path, block.lines[name], message)


def _how_to_declare(name: str, pins: dict[str, str]) -> str:
    if name in pins:
        return f"add '{name}=={pins[name]}', as requirements.txt pins it"
    return f"add '{name}==...' there and to requirements.txt, if nothing that stands there will do"


def pin_faults(path: Path, block: Dependencies, pins: dict[str, str]) -> Iterator[Fault]:
    """What the block declares against what requirements.txt pins and this machine has."""
    for name, version in block.versions.items():
        if name not in pins:
            message = f"declares '{name}', which requirements.txt does not pin"
            yield Fault(path, block.lines[name], f"{message}; {nearest(name, pins)}")
        elif pins[name] != version:
            message = f"declares {name}=={version}, but requirements.txt pins {pins[name]}"
            yield Fault(path, block.lines[name], f"{message}; use that")
        elif installed_version(name) is None:
            message = f"declares {name}=={version}, which is not installed here"
            remedy = "install it with 'make build'"
            yield Fault(path, block.lines[name], f"{message}; {remedy}")


@cache
def installed_version(name: str) -> str | None:
    """The version of a package as it is installed here."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def read_pins(root: Path) -> dict[str, str]:
    """Name and version of each exact pin in the requirements files of the project at `root`."""
    paths = [root / name for name in REQUIREMENTS if (root / name).exists()]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return {pin["name"].lower(): pin["version"] for line in lines if (pin := PIN.match(line))}
