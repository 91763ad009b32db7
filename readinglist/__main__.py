"""What a contributor types: `python -m readinglist` and a command; without one, it lists them."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import date
from pathlib import Path

try:
    from readinglist.commands.archive import NAME, make_archive
    from readinglist.commands.check import review
    from readinglist.commands.links import needed_records
    from readinglist.commands.new import RESOURCE, SNIPPET, Ask, answers, new_resource, new_snippet
    from readinglist.commands.report import report
    from readinglist.commands.run import Shard, transcript
    from readinglist.faults import Fault, Faults, nearest
    from readinglist.running.project_runs import forget, run_snippets
    from readinglist.sources.catalog import Catalog, examine, read_catalog
    from readinglist.sources.dependencies import read_pins, unlike_pins
    from readinglist.sources.link_records import LINKS, write_link_records
except ModuleNotFoundError as missing:
    remedy = "run 'make setup', then 'source .venv/bin/activate'"
    sys.exit(f"{missing.name} is not installed for {sys.executable}; {remedy}")

ROOT = Path(__file__).parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    options = _parser().parse_args(arguments)
    # A command that is cancelled from outside cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return options.command(options)
    except Faults as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. The runs that had ended are stored.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m readinglist", description=__doc__)
    commands = parser.add_subparsers(metavar="command", required=True)

    new = commands.add_parser("new", help="write the files of a contribution, from a template")
    kinds = new.add_subparsers(metavar="kind", required=True)
    resource = kinds.add_parser("resource", help="the page of a resource")
    for name, question in RESOURCE.items():
        resource.add_argument(f"--{name}", help=question, nargs="+" if name == "authors" else None)
    resource.add_argument("--slug", help="name of the file, if not from the title")
    resource.set_defaults(command=_new_resource)
    snippet = kinds.add_parser("snippet", help="a snippet and its test")
    for name, question in SNIPPET.items():
        snippet.add_argument(f"--{name}", help=question)
    snippet.set_defaults(command=_new_snippet)

    check = commands.add_parser("check", help="say everything that is wrong, and run nothing")
    check.add_argument("path", nargs="?", type=Path, help="a file or a folder; else everything")
    check.set_defaults(command=_check)

    run = commands.add_parser("run", help="run the snippets that are not stored; show one's output")
    run.add_argument("name", nargs="*", help="a snippet's name; all of them if none is given")
    run.add_argument("--shard", type=Shard.parse, help="one part of all, as 1/4", metavar="K/N")
    run.set_defaults(command=_run)

    compare = commands.add_parser("report", help="what changed between two builds, as Markdown")
    compare.add_argument("base", type=Path, help="folder of the site as it was")
    compare.add_argument("head", type=Path, help="folder of the site as it is")
    compare.set_defaults(command=_report)

    links = commands.add_parser("links", help="bring docs/links.json up to the pages' links")
    links.add_argument("--refresh", action="store_true", help="ask every address if it is there")
    links.set_defaults(command=_links)

    archive = commands.add_parser("archive", help="the whole site as one file, to read offline")
    archive.add_argument("file", nargs="?", type=Path, default=ROOT / f"{NAME}.zip")
    archive.set_defaults(command=_archive)

    clean = commands.add_parser("clean", help="forget every stored run")
    clean.set_defaults(command=_clean)
    return parser


def _new_resource(options: argparse.Namespace) -> int:
    catalog, _ = examine(ROOT)
    given = answers(vars(options), RESOURCE, _ask())
    path = new_resource(catalog, {**given, "slug": options.slug}).relative_to(ROOT)
    print(f"Wrote {path}. 'make serve' shows it.")
    print(f"What is left to write: python -m readinglist check {path}")
    return 0


def _new_snippet(options: argparse.Namespace) -> int:
    catalog, _ = examine(ROOT)
    paths = new_snippet(catalog, answers(vars(options), SNIPPET, _ask()))
    program, test = (path.relative_to(ROOT) for path in paths)
    print(f"Wrote {program} and {test}: they run as they are.")
    print(f"Run it: python -m readinglist run {program.stem}")
    print(f"Show it on a page:\n\n``` cell\n{program.stem}#matches_accumulate\n```")
    return 0


def _ask() -> Ask | None:
    return input if sys.stdin.isatty() else None


def _tell_unlike_pins() -> None:
    for note in unlike_pins(read_pins(ROOT)):
        print(f"note: {note}", file=sys.stderr)


def _check(options: argparse.Namespace) -> int:
    _tell_unlike_pins()
    found = review(ROOT)
    faults = found.faults
    if options.path:
        faults = found.below(_from_root(options.path))
    if faults:
        raise Faults(faults)
    snippets, resources = len(found.catalog.snippets), len(found.catalog.resources)
    what = options.path or f"{snippets} snippets and {resources} resources"
    print(f"{what}: in order.")
    return 0


def _from_root(path: Path) -> Path:
    """The path as it stands in a fault. Raises Faults if there is nothing there."""
    root = ROOT.resolve()
    for whole in (path.resolve(), (ROOT / path).resolve()):
        if whole.exists() and whole.is_relative_to(root):
            return whole.relative_to(root)
    raise Faults([Fault(path, 0, "is not a file or a folder of this project; check its name")])


def _run(options: argparse.Namespace) -> int:
    _tell_unlike_pins()
    catalog = read_catalog(ROOT)
    chosen = _chosen(catalog, options.name, options.shard)
    runs = run_snippets(catalog, [catalog.snippets[name] for name in chosen])
    if options.name:
        for name, run in runs.items():
            print(transcript(catalog.snippets[name], run))
    else:
        for name, run in runs.items():
            print(f"{name:24} {run.seconds:6.1f} s   {run.assertions:3} assertions held")
    return 0


def _chosen(catalog: Catalog, names: list[str], shard: Shard | None) -> list[str]:
    known = catalog.snippets
    if unknown := [name for name in names if name not in known]:
        raise Faults(
            [Fault(Path("snippets"), 0, f"no '{name}'; {nearest(name, known)}") for name in unknown]
        )
    chosen = names or list(known)
    return shard.of(chosen) if shard else chosen


def _report(options: argparse.Namespace) -> int:
    print(report(options.base, options.head))
    return 0


def _links(options: argparse.Namespace) -> int:
    records = needed_records(ROOT, date.today())
    if options.refresh:
        # It takes a tenth of a second to load, which no other command needs.
        from readinglist.commands.links import refreshed

        records = refreshed(records, date.today())
    write_link_records(ROOT, records)
    seen = sum(record.seen is not None for record in records.values())
    gone = sum(record.gone is not None for record in records.values())
    print(f"{LINKS}: {len(records)} links, {seen} seen alive at some time, {gone} gone")
    return 0


def _archive(options: argparse.Namespace) -> int:
    # Before the build, which tells what it has run itself: that would differ from time to time.
    catalog = read_catalog(ROOT)
    run_snippets(catalog, catalog.snippets.values())
    files = make_archive(ROOT, options.file)
    megabytes = options.file.stat().st_size / 1e6
    print(f"{options.file}: {files} files, {megabytes:.1f} MB. Unpack it and open index.html.")
    return 0


def _clean(options: argparse.Namespace) -> int:
    forget(ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
