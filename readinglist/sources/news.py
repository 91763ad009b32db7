"""The news: what docs/whats-new.md tells, by day."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from readinglist.faults import Fault, read_text

NEWS = "whats-new.md"


@dataclass(frozen=True)
class News:
    """One item of the list below a day."""

    day: datetime
    markdown: str


def read_news(root: Path) -> tuple[list[News], list[Fault]]:
    """The news of the project at `root`, the latest first, and the headings that are not days."""
    path = root / "docs" / NEWS
    news: list[News] = []
    faults: list[Fault] = []
    day = None
    for number, line in enumerate(read_text(path).split("\n") if path.exists() else [], 1):
        if line.startswith("## "):
            heading, last = line.removeprefix("## ").strip(), day
            try:
                day = datetime.strptime(heading, "%d %B %Y").replace(tzinfo=UTC)
            except ValueError:
                message = f"the heading '{heading}' is not a day; write it as ## 27 November 2026"
                faults.append(Fault(path, number, message))
                continue
            if last and day >= last:
                message = f"the heading '{heading}' stands below an earlier day; the latest first"
                faults.append(Fault(path, number, message))
        elif day and line.startswith("- "):
            news.append(News(day, line.removeprefix("- ")))
        elif day and line.startswith("  ") and news:
            news[-1] = News(day, f"{news[-1].markdown} {line.strip()}")
    return news, faults
