"""What a contributor types: `python -m readinglist` and a command; without one, it lists them."""

import argparse
import signal
import sys
from pathlib import Path

try:
    from readinglist.commands import archive, check, links, new, report, run
    from readinglist.faults import Faults
    from readinglist.sources.dependencies import read_pins, unlike_pins
except ModuleNotFoundError as missing:
    remedy = "run 'make setup', then 'source .venv/bin/activate'"
    sys.exit(f"{missing.name} is not installed for {sys.executable}; {remedy}")

# The project that the command is typed in, or the one that this package stands in.
ROOT = Path.cwd() if Path("mkdocs.yml").exists() else Path(__file__).parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m readinglist", description=__doc__)
    commands = parser.add_subparsers(metavar="command", required=True)
    for module in (new, check, run, report, links, archive):
        module.add_command(commands)
    options = parser.parse_args(arguments)
    # A command that is cancelled from outside cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for note in unlike_pins(read_pins(ROOT)):
        print(f"note: {note}", file=sys.stderr)
    try:
        options.command(options, ROOT)
    except Faults as error:
        print(error.within(ROOT), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. The runs that had ended are stored.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
