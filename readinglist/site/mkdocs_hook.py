"""The adapter to MkDocs, the only module that imports it: another generator needs another."""

import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

# MkDocs loads this file by its path, whatever the current folder.
sys.path.insert(0, str(Path(__file__).parents[2]))

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents
from mkdocs.utils import get_relative_url
from mkdocs_jupyter.config import settings as jupyter_settings

from readinglist.faults import Faults
from readinglist.memory import MEMORY
from readinglist.pages.embedding import html_fence
from readinglist.running.background import Background
from readinglist.site.build import NOTEBOOK_TEMPLATES, Build
from readinglist.site.head import script_sums
from readinglist.site.search_index import remember_entries
from readinglist.site.staging import publish, staging_folder
from readinglist.sources.snippet import Snippet

background: Background | None = None  # while the site is served
build: Build
site: Path  # where the finished site goes
rendered: dict[tuple[Any, ...], Any] = {}  # what MkDocs makes of Markdown, by what it was made of


def on_startup(command: str, dirty: bool) -> None:
    global background
    background = Background() if command == "serve" else None
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleans up as after Ctrl-C


def on_config(config: MkDocsConfig) -> None:
    global build, site
    root, site = Path(config.config_file_path).parent, Path(config.site_dir)
    with _aborting(root):
        build = Build.begin(root, background)
    config.nav = build.navigation()
    config.watch += [str(root / folder) for folder in ("snippets", "theme", "readinglist")]
    config.site_dir = config.site_dir if background else str(staging_folder(site))
    jupyter_settings.templates_dir = str(root / NOTEBOOK_TEMPLATES)
    superfences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    superfences["custom_fences"] = [html_fence(build.embedded)]


def on_serve(server: Any, config: MkDocsConfig, builder: Any) -> None:
    gc.freeze()  # looking through what the first build left takes 0.1 s of every third build
    server.build_delay = 0.02  # seconds in which nothing more must change
    for watcher in (server.observer, *server.observer.emitters):
        watcher._timeout = 0.05  # seconds between two looks at the files; MkDocs takes half a one
    server.watch(str(background.folder))  # type: ignore[union-attr]


def on_shutdown() -> None:
    if background:
        background.stop()


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> None:
    for source in build.unpublished():
        files.remove(files.src_uris[source])
    for path in build.write_generated():
        files.append(File(path, build.generated.name, config.site_dir, config.use_directory_urls))


def on_env(env: Any, config: MkDocsConfig, files: Files) -> None:
    env.bytecode_cache = build.compiled_templates
    # The server writes a script of its own into each page, to load it anew.
    env.globals["script_sums"] = (lambda _: "") if background else script_sums(env, config=config)
    remember_entries(config.plugins.get("material/search"))


@event_priority(-100)  # after mkdocs-jupyter has put its renderer in place
def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> None:
    page.render = partial(_render_once, page, page.render)  # type: ignore[method-assign]


def _render_once(page: Page, render: Any, config: MkDocsConfig, files: Files) -> None:
    def html() -> str:
        render(config, files)
        return page.content or ""

    if isinstance(build.subject(page.file.src_uri), Snippet):
        page.content = build.notebook_html(page.file.src_uri, html)
        return
    made_of = (page.url, page.markdown, *files.src_uris, Path(config.config_file_path).read_bytes())
    if made_of not in rendered:
        render(config, files)
        rendered[made_of] = page.content, page.toc, page._title_from_render
    page.content, page.toc, page._title_from_render = rendered[made_of]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    page.meta.update(build.page_meta(page.file.src_uri))
    if isinstance(build.subject(page.file.src_uri), Snippet):
        return markdown
    return build.page_text(page.file.src_uri, partial(_url, page, files))


def _url(page: Page, files: Files, target: str) -> str:
    file = files.get_file_from_path(target)
    return get_relative_url(file.url if file else target, page.url)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return build.page_html(page.file.src_uri, html, page.meta, partial(_url, page, files))


def on_page_context(context: dict, page: Page, config: MkDocsConfig, nav: Any) -> dict:
    subject = build.subject(page.file.src_uri)
    if isinstance(subject, Snippet):
        page.edit_url = f"{str(config.repo_url).rstrip('/')}/edit/main/snippets/{subject.name}.py"
        page.toc = TableOfContents([AnchorLink(name, name, 2) for name in subject.code])
    return context | build.page_context(page.file.src_uri)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    return build.finished(output)


@event_priority(-200)  # after every plugin has written its files
def on_post_build(config: MkDocsConfig) -> None:
    with _aborting(build.project.root):
        build.finish(Path(config.site_dir))
    if not background:
        MEMORY.save()
        publish(Path(config.site_dir), site)
        config.site_dir = str(site)


@contextmanager
def _aborting(root: Path) -> Iterator[None]:
    try:
        yield
    except Faults as error:
        raise Abort(f"The site was not built: {error.within(root).listed()}") from None
