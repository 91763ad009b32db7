"""`python -m readinglist check | run | clean`: what a contributor types."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from readinglist.catalog import Catalog, read_catalog
from readinglist.faults import Fault, Faults, nearest
from readinglist.session import forget, run_snippets

ROOT = Path(__file__).parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m readinglist", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "check", help="say everything that is wrong with snippets and resources; run nothing"
    )
    run = commands.add_parser(
        "run", help="run snippets that are not stored, and say how long each took"
    )
    run.add_argument("name", nargs="*", help="a snippet's name; all of them if none is given")
    commands.add_parser("clean", help="forget every stored run")
    options = parser.parse_args(arguments)
    # A command that is cancelled from outside cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.command == "clean":
            forget(ROOT)
            return 0
        catalog = read_catalog(ROOT)
        if options.command == "check":
            snippets, resources = len(catalog.snippets), len(catalog.resources)
            print(f"{snippets} snippets and {resources} resources are in order.")
        else:
            _run(catalog, options.name)
    except Faults as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. The runs that had ended are stored.", file=sys.stderr)
        return 130
    return 0


def _run(catalog: Catalog, names: list[str]) -> None:
    known = catalog.snippets
    if unknown := [name for name in names if name not in known]:
        raise Faults(
            [Fault(Path("snippets"), 0, f"no '{name}'; {nearest(name, known)}") for name in unknown]
        )
    runs = run_snippets(catalog, [known[name] for name in names or known])
    for name, run in runs.items():
        print(f"{name:24} {run.seconds:6.1f} s   {run.assertions:3} assertions held")


if __name__ == "__main__":
    sys.exit(main())
