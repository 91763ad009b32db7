"""One build of the site, event by event, without the generator that calls it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from jinja2 import FileSystemBytecodeCache
from markupsafe import Markup

from readinglist.faults import Fault, Faults, line_of, read_text
from readinglist.memory import MEMORY
from readinglist.pages import formulas
from readinglist.pages.citations import bibtex
from readinglist.pages.embedding import Page, embed
from readinglist.pages.finishing import add_copy_buttons, lead_to_copies, mark_terms
from readinglist.pages.links import Linked, link_faults, linkable, read_links
from readinglist.pages.lists import lists
from readinglist.pages.snippet_page import fill_cells, write_downloads, write_notebook
from readinglist.running.background import Background
from readinglist.running.project import Project, open_project, open_served_project
from readinglist.settings import FILE, cache_folder, writable
from readinglist.site.exports import write_exports
from readinglist.site.search_index import RESOURCE_BOOST, complete_index
from readinglist.sources.dependencies import installed_version
from readinglist.sources.glossary import GLOSSARY
from readinglist.sources.resource import Resource, split_front_matter
from readinglist.sources.snippet import Snippet

# What a page waits for is one file: the styles of docs/assets/css, in this order.
STYLES = [f"assets/css/{name}.css" for name in ("palette", "site", "drawings")]
NOTEBOOK_RENDERER = ("mkdocs-jupyter", "nbconvert", "mistune")
NOTEBOOK_TEMPLATES = Path("theme", "notebook")
UrlOf = Callable[[str], str]  # from a path below docs/ to a link from the page that is made


@dataclass
class Build:
    """What one build knows, from its first event to its last."""

    project: Project
    compiled_templates: FileSystemBytecodeCache  # those of the theme, which take half a second
    # Generated files never go into docs/: a server would reload for ever. One folder a build,
    # since two builds may run at once.
    generated: TemporaryDirectory[str] = field(
        default_factory=lambda: TemporaryDirectory(prefix="pages-")
    )
    faults: list[Fault] = field(default_factory=list)
    embedded: dict[str, str] = field(default_factory=dict)  # HTML that fences in pages stand for
    used: dict[str, list[str]] = field(default_factory=dict)  # page: the snippets it shows
    linked: list[Linked] = field(default_factory=list)

    @classmethod
    def begin(cls, root: Path, background: Background | None) -> Self:
        """Opens the project at `root`; with a background, what is not stored is run in it.

        Raises:
            Faults: everything wrong with the snippets, the resources, the runs or the cache.
        """
        MEMORY.open(root)
        project = open_served_project(root, background) if background else open_project(root)
        templates = cache_folder(root) / "templates"
        with writable(templates):
            templates.mkdir(parents=True, exist_ok=True)
        return cls(project, FileSystemBytecodeCache(str(templates)))

    @cached_property
    def _subjects(self) -> dict[str, Resource | Snippet]:
        resources = {f"resources/{r.slug}.md": r for r in self.project.resources}
        return resources | {f"snippets/{s.name}.ipynb": s for s in self.project.snippets.values()}

    def subject(self, source: str) -> Resource | Snippet | None:
        """What the page made from this source is about, if that is a resource or a snippet."""
        return self._subjects.get(source)

    def navigation(self) -> list[Any]:
        """The navigation with all pages in it; what it lacks is noted."""
        nav = navigation(self.project)
        self.faults += navigation_faults(self.project, nav)
        return nav

    def unpublished(self) -> list[str]:
        """What stands in docs/ and does not become a file of the site by itself."""
        listed = [f"resources/{r.slug}.md" for r in self.project.resources if not r.annotated]
        return [*listed, *self._styles()]

    def _styles(self) -> list[str]:
        return [name for name in STYLES if (self.project.root / "docs" / name).exists()]

    def write_generated(self) -> list[str]:
        """Writes the sources that the build makes; returns their paths in the generated folder."""
        folder, written = Path(self.generated.name), []
        for snippet in self.project.snippets.values():
            written += [write_notebook(folder, snippet)]
            written += write_downloads(folder, self.project, snippet)
        if stylesheet := self.project.settings.stylesheet:
            paths = (self.project.root / "docs" / name for name in self._styles())
            css = "".join(path.read_text(encoding="utf-8") for path in paths)
            (folder / stylesheet).parent.mkdir(parents=True, exist_ok=True)
            (folder / stylesheet).write_text(css, encoding="utf-8")
            written.append(stylesheet)
        return written

    def notebook_html(self, source: str, render: Callable[[], str]) -> str:
        """What `render` makes of a notebook's prose, from memory if nothing it depends on changed:
        for all pages it takes a quarter of a whole build."""
        renderer = [f"{name} {installed_version(name)}" for name in NOTEBOOK_RENDERER]
        templates = sorted((self.project.root / NOTEBOOK_TEMPLATES).rglob("*.j2"))
        notebook = Path(self.generated.name, source)
        texts = (path.read_text(encoding="utf-8") for path in (notebook, *templates))
        return MEMORY.recall([*renderer, *texts], render)

    def page_meta(self, source: str) -> dict[str, Any]:
        """What the page says of itself beside its front matter."""
        subject = self.subject(source)
        if isinstance(subject, Snippet):
            return {"description": escape(subject.summary)}
        if subject:
            boost = {"boost": RESOURCE_BOOST}
            # Material would show a status of its own in the navigation.
            return {"description": escape(subject.why), "search": boost, "status": None}
        return {}

    def page_text(self, source: str, url_of: UrlOf) -> str:
        """The Markdown of a page of docs/ with everything embedded, without its front matter."""
        path = self.project.root / "docs" / source
        _, body, before = split_front_matter(read_text(path))
        page = Page(path, body, before, url_of, lists(self.project, url_of), self.embedded)
        self.linked.append(read_links(path, body, self.project))
        try:
            body = embed(page, self.project)
        except Faults as error:
            self.faults += error.faults
        self.used[source] = page.used
        return body

    def page_html(self, source: str, html: str, meta: Mapping[str, Any], url_of: UrlOf) -> str:
        """The HTML of a page with its cells, formulas, terms and copy buttons."""
        subject = self.subject(source)
        if isinstance(subject, Snippet):
            # mkdocs-jupyter appends nbconvert's stylesheet; ours is in docs/assets/css.
            html = re.sub(r"\s*<style>.*?</style>\s*$", "", html, flags=re.DOTALL)
            html = fill_cells(formulas.mark_dollars(html), self.project, subject)
        html, problems = formulas.typeset(html, self.project.palette)
        path = subject.path if subject else self.project.root / "docs" / source
        for latex, message in problems:
            line = line_of(path, re.escape(latex.split("\n")[0]))
            self.faults.append(Fault(path, line, message))
        # After the formulas, whose commands may be called as a term is.
        if subject or meta.get("terms"):
            html = mark_terms(html, self.project.terms, url_of(GLOSSARY))
        return add_copy_buttons(html)

    def page_context(self, source: str) -> dict[str, Any]:
        """What the theme's templates show around a page."""
        project, subject = self.project, self.subject(source)
        names = self.used.get(source, [])
        context: dict[str, Any] = {"resource": None, "snippet": None}
        if isinstance(subject, Snippet):
            names = [subject.name]
            shown_on = [r for r in project.resources if subject.name in self.shown_by(r)]
            context |= {"snippet": subject, "resources": shown_on}
        elif subject:
            code = f"<pre><span></span><code>{escape(bibtex([subject]))}</code></pre>"
            context |= {"resource": subject, "bibtex": Markup(add_copy_buttons(code, "cite"))}
        return context | {
            "project": project,
            "shown": [project.snippets[name] for name in names],
            "proven": {name: project.runs[name] for name in names or project.snippets},
        }

    def shown_by(self, resource: Resource) -> list[str]:
        """The snippets that a resource's page shows."""
        return self.used.get(f"resources/{resource.slug}.md", [])

    def finished(self, output: str) -> str:
        """The whole HTML of a page as it is published."""
        return lead_to_copies(output, self.project.links)

    def finish(self, built: Path) -> None:
        """Writes what belongs to no page into the folder of the built site.

        Raises:
            Faults: everything that was wrong with any page.
        """
        docs, anchors = self.project.root / "docs", linkable(self.linked, self.project)
        self.faults += [f for page in self.linked for f in link_faults(page, docs, anchors)]
        if self.faults:
            raise Faults(self.faults)
        complete_index(built, self.project)
        pages = (path.read_text(encoding="utf-8") for path in built.rglob("*.html"))
        font = built / "assets" / "fonts" / "math.woff2"
        font.parent.mkdir(parents=True, exist_ok=True)
        font.write_bytes(formulas.math_font(formulas.characters(pages)))
        write_exports(self.project, self.shown_by, built)


def navigation(project: Project) -> list[Any]:
    """The settings' entries, with `resources/` and `snippets/` as the pages that stand in them."""
    snippets = [{s.title: f"snippets/{s.name}.ipynb"} for s in project.snippets.values()]
    folders: dict[Any, list[Any]] = {
        "resources/": [f"resources/{r.slug}.md" for r in project.resources if r.annotated],
        "snippets/": ["snippets/index.md", *snippets],
    }
    nav: list[Any] = []
    for entry in project.settings.nav:
        if isinstance(entry, dict):
            ((title, target),) = entry.items()
            entry = {title: folders[target]} if str(target) in folders else entry
        nav.append(entry)
    return nav


def navigation_faults(project: Project, nav: list[Any]) -> Iterator[Fault]:
    """The pages that no list leads to, and the entries that lead to no page."""
    docs, settings = project.root / "docs", project.root / FILE
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    targets, resources = set(_targets(nav)), {f"resources/{r.slug}.md" for r in project.resources}
    for page in pages - targets - resources:
        message = "no list leads to this page; a resource's page stands in docs/resources/"
        yield Fault(docs / page, 0, message)
    for page in targets - pages:
        if page.endswith(".md"):
            message = f"the navigation names '{page}', which is not in docs/; write it or remove it"
            yield Fault(settings, line_of(settings, re.escape(page)), message)


def _targets(nav: list[Any]) -> Iterator[str]:
    """Every page that a navigation names."""
    for entry in nav:
        target = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if isinstance(target, str):
            yield target
        else:
            yield from _targets(target)
