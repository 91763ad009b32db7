"""A snippet's dependency block (PEP 723): read, and held against its imports and the pins."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import AliasPath, BaseModel, Field, PlainValidator, StringConstraints, ValidationError

from readinglist.faults import Fault, line_of, nearest

BLOCK = re.compile(r"^# /// script\n(?P<body>(?:#(?:| .*)\n)+?)# ///$", re.MULTILINE)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;#]+)", re.MULTILINE)
# Packages to import, and packages of texts, which are found by name and read without an import.
REQUIREMENTS = ("requirements.txt", "requirements-data.txt")
EXPECTED = "put '# /// script', dependencies, [tool.recurrent] with concept, '# ///' at the top"
# What is said of a part of the block that is missing or of another form.
WRONG = {
    "dependencies": "the dependency block lists no dependencies; "
    'write dependencies = ["name>=version"], or [] for none',
    "concept": f"the dependency block names no concept; {EXPECTED}",
    "deprecations": "the deprecations of the dependency block are not texts with their reasons; "
    'write "part of the warning" = "why it stays" in [tool.recurrent.deprecations]',
}

Import = tuple[str, int]  # the top-level name of a module, and the line
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
distributions = cache(importlib.metadata.packages_distributions)  # it takes half a second


def _requirement(written: Any) -> Requirement:
    try:
        found = Requirement(str(written))
    except InvalidRequirement:
        raise ValueError("is not a requirement; write 'name>=version'") from None
    if not any(part.operator in {">=", "~=", "=="} for part in found.specifier):
        raise ValueError(f"has no lower bound; write '{found.name}>=version', the oldest you tried")
    return found


class Block(BaseModel):
    """What the block declares. A deprecation is a part of a warning, with why it stays."""

    dependencies: list[Annotated[Requirement, PlainValidator(_requirement)]]
    concept: Words = Field(validation_alias=AliasPath("tool", "recurrent", "concept"))
    deprecations: dict[Words, Words] = Field(
        {}, validation_alias=AliasPath("tool", "recurrent", "deprecations")
    )

    @property
    def ranges(self) -> dict[str, str]:
        return {canonicalize_name(one.name): str(one.specifier) for one in self.dependencies}


NOTHING = Block.model_construct(dependencies=[], concept="", deprecations={})


def read_dependencies(path: Path, head: str) -> tuple[Block, list[Fault]]:
    """The block in `head`, the text before the first cell, and what is wrong with it."""
    match = BLOCK.search(head)
    if not match:
        return NOTHING, [Fault(path, 1, f"there is no dependency block (PEP 723); {EXPECTED}")]
    line = head.count("\n", 0, match.start()) + 1
    try:
        data = tomllib.loads(re.sub(r"^# ?", "", match["body"], flags=re.MULTILINE))
        return Block.model_validate(data), []
    except tomllib.TOMLDecodeError as error:
        what, _, at = str(error).partition(" (at line ")
        line += int(at.partition(",")[0] or 0)
        return NOTHING, [Fault(path, line, f"the dependency block is not TOML: {what}; {EXPECTED}")]
    except ValidationError as error:
        return NOTHING, [_fault(path, line, problem) for problem in error.errors()]


def _fault(path: Path, line: int, problem: Any) -> Fault:
    if problem["type"] != "value_error":
        return Fault(path, line, next(WRONG[key] for key in problem["loc"] if key in WRONG))
    written = str(problem["input"])
    where = line_of(path, re.escape(written)) or line
    return Fault(path, where, f"'{written}' {problem['ctx']['error']}")


def imports(cell: ast.Module) -> list[Import]:
    """The modules that a cell imports, or finds to read the files beside them."""
    names = []
    for node in ast.walk(cell):
        if isinstance(node, ast.Import):
            names += [(alias.name.split(".")[0], node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(("." if node.level else (node.module or "").split(".")[0], node.lineno))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "find_spec":
            names += [(str(a.value), a.lineno) for a in node.args if isinstance(a, ast.Constant)]
    return names


def block_faults(
    path: Path, block: Block, imported: list[Import], siblings: set[str], pins: dict[str, str]
) -> Iterator[Fault]:
    """What the block declares, against what the file imports and what requirements.txt pins."""
    used = set()
    for module, line in imported:
        itself = module in {".", "readinglist"}
        if itself or module in siblings:
            what = "the project itself" if itself else f"the snippet '{module}'"
            message = f"imports {what}; a snippet stands alone, so copy in the few lines it needs"
            yield Fault(path, line, message)
        elif module not in sys.stdlib_module_names:
            names = _packages(module, block)
            declared = [name for name in names if name in block.ranges]
            used.update(declared)
            if not declared:
                message = f"imports '{module}', which the dependency block does not declare"
                yield Fault(path, line, f"{message}; {_how_to_declare(names[0], pins)}")
    for name, versions in block.ranges.items():
        line = line_of(path, "(?i)" + name.replace("-", "[-_.]+"))
        if name not in used:
            message = f"declares '{name}' but does not import it; remove it from the block"
            yield Fault(path, line, message)
        if problem := _problem(name, versions, pins):
            yield Fault(path, line, f"declares {problem}")


def _packages(module: str, block: Block) -> list[str]:
    """The packages that a module may be from: its namesake, or those that are installed here."""
    if (namesake := canonicalize_name(module)) in block.ranges:
        return [namesake]
    return [canonicalize_name(name) for name in distributions().get(module, [module])]


def _how_to_declare(name: str, pins: dict[str, str]) -> str:
    if name in pins:
        return f"add '{name}>={pins[name]}', as it is pinned, or the oldest version that you tried"
    new = f"add '{name}>=version' there and '{name}' to requirements.in, and run 'make pins'"
    return f"{new}, if nothing that stands there will do"


def _problem(name: str, versions: str, pins: dict[str, str]) -> str:
    """What is wrong with a range that is declared, by what is pinned and what this machine has."""
    if name not in pins:
        return f"'{name}', which requirements.txt does not pin; {nearest(name, pins)}"
    if not SpecifierSet(versions).contains(pins[name], prereleases=True):
        return f"{name}{versions}, but requirements.txt pins {pins[name]}; widen the range"
    if installed_version(name) is None:
        return f"{name}{versions}, which is not installed here; install it with 'make build'"
    return ""


def unlike_pins(pins: dict[str, str]) -> list[str]:
    """A note of each package that is installed here in another version than the pinned one."""
    return [
        f"{name} {version} is installed, but requirements.txt pins {pin}; run 'make -B setup'"
        for name, pin in pins.items()
        # A label, as in 2.13.0+cpu, names a build and no other version.
        if (version := installed_version(name)) and version.partition("+")[0] != pin
    ]


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
    return {canonicalize_name(name): version for name, version in PIN.findall(text)}
