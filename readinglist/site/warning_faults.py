"""The site generator's warnings, such as those of broken links, as faults with file and line."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from readinglist.faults import Fault, line_of_link

LINK = re.compile(
    r"Doc file '(?P<doc>[^']+)' contains an? (?:\w+ )*link '(?P<link>[^']+)', (?P<rest>.+)",
    re.DOTALL,
)


STRAY = re.compile(r'The following pages exist .* "nav" configuration:\n(?P<pages>.*)', re.DOTALL)


class WarningFaults(logging.Filter):
    """Keeps warnings from the terminal and adds them to `faults`, to be reported together."""

    def __init__(self, root: Path, faults: list[Fault]) -> None:
        super().__init__()
        self.root = root
        self.faults = faults

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        self.faults += self._faults(record.getMessage())
        return False

    def _faults(self, message: str) -> list[Fault]:
        if match := LINK.match(message):
            path = Path("docs", match["doc"])
            why = match["rest"].removeprefix("but ")
            text = f"the link '{match['link']}' leads nowhere: {why}"
            return [Fault(path, line_of_link(self.root / path, match["link"]), text)]
        if match := STRAY.match(message):
            text = "no list leads to this page; a resource's page stands in docs/resources/"
            return [
                Fault(Path("docs", page), 0, text) for page in re.findall(r"- (.+)", match["pages"])
            ]
        return [Fault(Path("mkdocs.yml"), 0, message)]


def collect_warnings(logger: logging.Logger, root: Path, faults: list[Fault]) -> None:
    """From now on, `logger`'s warnings become faults."""
    # With --quiet, MkDocs would not even make its warnings: a broken link would pass unseen.
    logger.setLevel(min(logger.getEffectiveLevel(), logging.WARNING))
    for handler in logger.handlers:
        for old in [f for f in handler.filters if isinstance(f, WarningFaults)]:
            handler.removeFilter(old)
        handler.addFilter(WarningFaults(root, faults))
