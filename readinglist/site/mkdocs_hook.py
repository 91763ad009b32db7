"""The adapter to MkDocs, the only module that imports it: another generator needs another."""

from __future__ import annotations

import logging
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]
# MkDocs loads this file by its path, whatever the current folder.
sys.path.insert(0, str(ROOT))

import mkdocs
from jinja2 import FileSystemBytecodeCache
from markupsafe import Markup
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import AnchorLink, TableOfContents
from mkdocs.utils import get_relative_url
from mkdocs_jupyter.config import settings as jupyter_settings

from readinglist.faults import Fault, Faults, line_of, read_text
from readinglist.pages import formulas
from readinglist.pages.citations import bibtex
from readinglist.pages.embedding import HTML_FENCE, Page, embed
from readinglist.pages.finishing import SetAside, add_copy_buttons, lead_to_copies, mark_terms
from readinglist.pages.lists import Lists, proof
from readinglist.pages.session import Session, open_served_session, open_session
from readinglist.pages.snippet_page import (
    fill_cells,
    rendered_once,
    write_downloads,
    write_notebook,
)
from readinglist.project import cache_folder
from readinglist.running.background import Background
from readinglist.running.store import writable
from readinglist.safety import active_parts, file_problems
from readinglist.site import head
from readinglist.site.exports import Exports
from readinglist.site.head import content_policy, theme_scripts
from readinglist.site.neighbours import neighbourhood
from readinglist.site.search_index import complete_index, weight
from readinglist.site.staging import publish, staging_folder
from readinglist.site.warning_faults import collect_warnings
from readinglist.sources.catalog import Catalog
from readinglist.sources.glossary import GLOSSARY, Term, read_terms
from readinglist.sources.news import NEWS, News, read_news
from readinglist.sources.resource import Resource, split_front_matter
from readinglist.sources.snippet import Snippet
from readinglist.sources.works import SiteWork, read_site_work

TEMPLATES = ROOT / "theme" / "notebook"
STYLES = [f"assets/css/{name}.css" for name in ("palette", "site", "drawings")]
REFERENCE = ("notation.md", "glossary.md", "then-and-now.md", "citing.md", "status.md", "links.md")
# Pages that show what a term means where they use it first.
TERMS_ON = ("resources/", "notation", "then-and-now")
STYLESHEET = "assets/css/recurrent.css"


@dataclass
class Build:
    """What one build knows, from its first event to its last."""

    session: Session
    site: Path
    itself: SiteWork | None = None  # the site, as others cite it
    # Generated files never go into docs/: `mkdocs serve` would reload for ever. One folder a build,
    # since two builds may run at once.
    pages: TemporaryDirectory[str] = field(
        default_factory=lambda: TemporaryDirectory(prefix="pages-")
    )
    faults: list[Fault] = field(default_factory=list)
    figures: SetAside = field(default_factory=SetAside)
    used: dict[str, list[str]] = field(default_factory=dict)  # page -> snippets it shows
    terms: list[Term] = field(default_factory=list)
    news: list[News] = field(default_factory=list)

    @property
    def catalog(self) -> Catalog:
        return self.session.catalog

    def resource(self, page: MkDocsPage) -> Resource | None:
        return self.by_path.get(page.file.abs_src_path or "")

    @cached_property
    def by_path(self) -> dict[str, Resource]:
        return {str(resource.path): resource for resource in self.catalog.resources}

    def snippet(self, page: MkDocsPage) -> Snippet | None:
        source = Path(page.file.src_uri)
        return self.catalog.snippets.get(source.stem) if source.suffix == ".ipynb" else None


background: Background | None = None  # while the site is served
build: Build


def rendered_fence(source: str, *_: Any, **__: Any) -> str:
    """The formatter of the fence that carries finished HTML through Markdown."""
    return source


def on_startup(command: str, dirty: bool) -> None:
    global background
    if command == "serve":
        background = Background(_announce)
    # A build that is cancelled from outside cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _finished() -> Path:
    """A file that changes when a run has ended: the server watches it."""
    return cache_folder(ROOT) / "served" / "finished"


def _announce() -> None:
    _finished().parent.mkdir(parents=True, exist_ok=True)
    _finished().write_text(f"{time.time()}")


def on_serve(server: Any, config: MkDocsConfig, builder: Any) -> Any:
    _announce()  # what is not there cannot be watched
    server.watch(str(_finished().parent))
    return server


def on_shutdown() -> None:
    if background:
        background.stop()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    global build
    with _aborting():
        session = open_served_session(ROOT, background) if background else open_session(ROOT)
        itself = read_site_work(ROOT, config.site_url or "")
    build = Build(session, Path(config.site_dir), itself, terms=_terms(session.catalog))
    jupyter_settings.templates_dir = str(TEMPLATES)
    config.mdx_configs.setdefault("pymdownx.superfences", {})["custom_fences"] = [
        {"name": HTML_FENCE, "class": HTML_FENCE, "format": rendered_fence}
    ]
    config.nav = _navigation(build.catalog)
    config.watch += [str(ROOT / folder) for folder in ("snippets", "theme", "readinglist")]
    if not background:
        config.site_dir = str(staging_folder(build.site))
    # ProperDocs takes the place of the module, and logs under a name of its own.
    collect_warnings(logging.getLogger(mkdocs.__name__), ROOT, build.faults)
    return config


def _navigation(catalog: Catalog) -> list[Any]:
    resources = [f"resources/{r.slug}.md" for r in catalog.resources if r.annotated]
    snippets = [{s.title: f"snippets/{s.name}.ipynb"} for s in catalog.snippets.values()]
    return [
        {"The list": "index.md"},
        *_existing(catalog, "path.md"),
        {"Resources": resources},
        {"Snippets": ["snippets/index.md", *snippets]},
        *([{"Reference": reference}] if (reference := _existing(catalog, *REFERENCE)) else []),
        *_existing(catalog, NEWS),
    ]


def _terms(catalog: Catalog) -> list[Term]:
    path = catalog.root / "docs" / GLOSSARY
    return read_terms(read_text(path)) if path.exists() else []


def _existing(catalog: Catalog, *names: str) -> list[str]:
    return [name for name in names if (catalog.root / "docs" / name).exists()]


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    for resource in build.catalog.resources:
        if not resource.annotated:
            files.remove(files.src_uris[f"resources/{resource.slug}.md"])
    for asset, problem in file_problems(Path(config.docs_dir)):
        build.faults.append(Fault(asset.relative_to(ROOT), 0, problem))
    generated = []
    folder = Path(build.pages.name)
    for snippet in build.catalog.snippets.values():
        generated += [write_notebook(folder, snippet)]
        generated += write_downloads(folder, snippet, build.session.shelf)
    generated.append(_one_stylesheet(folder, files))
    for path in generated:
        files.append(File(path, str(folder), config.site_dir, config.use_directory_urls))
    return files


def _one_stylesheet(folder: Path, files: Files) -> str:
    """The stylesheets of docs/ as one file: a page waits for each of them."""
    sources = [ROOT / "docs" / name for name in STYLES]
    for name in STYLES:
        files.remove(files.src_uris[name])
    target = folder / STYLESHEET
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(path.read_text(encoding="utf-8") for path in sources))
    return STYLESHEET


@event_priority(-100)  # after mkdocs-jupyter has put its renderer in place
def on_pre_page(page: MkDocsPage, config: MkDocsConfig, files: Files) -> MkDocsPage:
    if build.snippet(page):
        render_notebook = page.render

        def render_once(config: MkDocsConfig, files: Files) -> None:
            def render() -> str:
                render_notebook(config, files)
                return page.content or ""

            notebook = Path(page.file.abs_src_path or "")
            with _aborting():
                folder = cache_folder(ROOT) / "pages"
                page.content = rendered_once(notebook, TEMPLATES, folder, render)

        page.render = render_once  # type: ignore[method-assign]
    return page


def on_env(env: Any, config: MkDocsConfig, files: Files) -> Any:
    # Material's templates take half a second to compile.
    folder = cache_folder(ROOT) / "templates"
    with _aborting(), writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(folder))

    @cache  # pages at one depth have one policy
    def policy(base_url: str) -> str:
        if background:
            return ""  # the server writes a script of its own into each page, to load it anew
        return content_policy(theme_scripts(env, base_url=base_url, config=config))

    env.globals["content_policy"] = policy
    return env


def on_page_markdown(markdown: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
    page.meta.setdefault("search", {"boost": weight(page.file.src_uri)})
    if build.snippet(page):
        return markdown
    # Material would show a 'status' of its own in the navigation.
    page.meta.pop("status", None)
    if resource := build.resource(page):
        page.meta["description"] = escape(resource.why)

    def url_of(target: str) -> str:
        file = files.get_file_from_path(target)
        return get_relative_url(file.url if file else target, page.url)

    source = Path(page.file.abs_src_path or "")
    before = split_front_matter(source.read_text(encoding="utf-8"))[2]
    lists = Lists(ROOT / "theme" / "blocks", build.session, url_of, build.itself)
    text = Page(
        path=source.relative_to(ROOT),
        text=markdown,
        # MkDocs strips the blank lines at the top of a page.
        lines_before=before + _leading_blank_lines(source, before),
        url_of=lambda name: url_of(f"snippets/{name}.ipynb"),
        lists=lists.all(),
    )
    try:
        markdown = embed(text, build.session.shelf)
    except Faults as error:
        build.faults += error.faults
    build.used[page.file.src_uri] = text.used
    return markdown


def _leading_blank_lines(source: Path, before: int) -> int:
    lines = source.read_text(encoding="utf-8").splitlines()[before:]
    return next((i for i, line in enumerate(lines) if line), 0)


def on_page_content(html: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
    if snippet := build.snippet(page):
        # mkdocs-jupyter appends nbconvert's stylesheet; ours is in docs/assets/css.
        html = re.sub(r"\s*<style>.*?</style>\s*$", "", html, flags=re.DOTALL)
        html = fill_cells(formulas.mark_dollars(html), snippet, build.session.shelf)
    source = snippet.path if snippet else Path(page.file.abs_src_path or "")
    for part in active_parts(html):
        message = f"holds {part}, which acts on the page or loads something; a page is text"
        build.faults.append(Fault(source.relative_to(ROOT), 0, f"{message}, so remove it"))
    if page.file.src_uri == NEWS:
        build.news = read_news(html, page.canonical_url or "")
    html, problems = formulas.typeset(html)
    for latex, message in problems:
        line = line_of(source, re.escape(latex.split("\n")[0]))
        build.faults.append(Fault(source.relative_to(ROOT), line, message))
    # After the formulas, whose commands may be called as a term is.
    if snippet or page.file.src_uri.startswith(TERMS_ON):
        at = files.get_file_from_path(GLOSSARY)
        html = mark_terms(html, build.terms, at.url_relative_to(page.file) if at else "")
    return add_copy_buttons(html)


@event_priority(50)  # before the search plugin, which would parse every point of every figure
def on_page_context(context: dict, page: MkDocsPage, config: MkDocsConfig, nav: Any) -> dict:
    names = build.used.get(page.file.src_uri, [])
    if snippet := build.snippet(page):
        names = [snippet.name]
        page.edit_url = (
            f"{(config.repo_url or '').rstrip('/')}/edit/main/snippets/{snippet.name}.py"
        )
        page.meta["description"] = escape(snippet.summary)
        page.toc = TableOfContents([AnchorLink(name, name, 2) for name in snippet.code])
        context["snippet"] = snippet
        context["run"] = build.session.shelf.runs[snippet.name]
        context["resources"] = [r for r in build.catalog.resources if snippet.name in _shown_by(r)]
    context["nav"] = neighbourhood(nav, page)
    resource = build.resource(page)
    context["resource"] = resource
    context["following"] = build.catalog.following(resource) if resource else None
    if resource:
        context["after"] = [r for r in build.catalog.resources if r.slug in resource.after]
        context["record"] = build.session.links.get(str(resource.url))
        code = f"<pre><span></span><code>{escape(bibtex([resource]))}</code></pre>"
        context["bibtex"] = Markup(add_copy_buttons(code, "cite"))
    context["linked_data"] = _linked_data(page, config)
    context["shown"] = [build.catalog.snippets[name] for name in names]
    context["proof"] = proof(build.session, names or list(build.catalog.snippets))
    page.content = build.figures.take(page.content or "")
    return context


def _linked_data(page: MkDocsPage, config: MkDocsConfig) -> Markup:
    url = page.canonical_url or ""
    if resource := build.resource(page):
        data = head.of_resource(resource, build.session.links.get(str(resource.url)), url)
    elif snippet := build.snippet(page):
        data = head.of_snippet(snippet, url)
    elif page.is_homepage:
        told = (config.site_name, config.site_description or "", config.site_url or "")
        data = head.of_list(build.catalog.resources, *told)
    else:
        return Markup()
    return Markup(head.within_html(data))


def on_post_page(output: str, page: MkDocsPage, config: MkDocsConfig) -> str:
    return build.figures.put_back(lead_to_copies(output, build.session.links))


def _shown_by(resource: Resource) -> list[str]:
    return build.used.get(f"resources/{resource.slug}.md", [])


@event_priority(-50)  # between the plugin that writes the index and the one that copies it
def _finish_search_index(config: MkDocsConfig) -> None:
    complete_index(Path(config.site_dir), build.catalog)


@event_priority(-200)  # after every plugin has written its files
def _finish(config: MkDocsConfig) -> None:
    if build.faults:
        raise _abort(build.faults)
    built = Path(config.site_dir)
    pages = (path.read_text(encoding="utf-8") for path in built.rglob("*.html"))
    with _aborting():
        font = formulas.math_font(formulas.characters(pages), cache_folder(ROOT) / "fonts")
    target = built / "assets" / "fonts" / "math.woff2"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(font)
    about = (config.site_name, config.site_description or "", config.site_url or "")
    Exports(build.session, *about, build.news, build.itself, _shown_by).write(built)
    if not background:
        publish(built, build.site)
        config.site_dir = str(build.site)


on_post_build = CombinedEvent(_finish_search_index, _finish)


@contextmanager
def _aborting() -> Iterator[None]:
    try:
        yield
    except Faults as error:
        raise _abort(error.faults) from None


def _abort(faults: list[Fault]) -> Abort:
    listed = "\n".join(
        f"  {line}" for fault in sorted(set(faults)) for line in str(fault).split("\n")
    )
    count = "1 fault" if len(set(faults)) == 1 else f"{len(set(faults))} faults"
    return Abort(f"The site was not built: {count}.\n{listed}")
