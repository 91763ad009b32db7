"""The lists made from metadata: each is a template of theme/blocks, named as its block is."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import jinja2
from markupsafe import Markup

from readinglist.pages.citations import bibtex
from readinglist.running.project import Project, status
from readinglist.sources.reading_order import steps

FOLDER = Path("theme", "blocks")


def list_names(root: Path) -> list[str]:
    """The blocks that stand for a list in the project at `root`."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.html"))


def lists(project: Project, url_of: Callable[[str], str]) -> dict[str, Callable[[], str]]:
    """Each list by its block's name; `url_of` turns a source's path into a link from the page."""
    templates = _templates(project.root / FOLDER)
    return {
        name: partial(templates.get_template(f"{name}.html").render, project=project, url_of=url_of)
        for name in list_names(project.root)
    }


@cache
def _templates(folder: Path) -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(folder)
    env = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters["breakable"] = lambda name: Markup("_<wbr>").join(name.split("_"))
    env.globals |= {"bibtex": bibtex, "status": status, "steps": steps}
    return env
