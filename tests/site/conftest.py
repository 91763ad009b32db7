"""The site as a reader gets it: built once, served on this machine, opened in a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import lxml.html
import pytest
from page_records import (
    DESK,
    PHONE,
    AtADesk,
    OnAPhone,
    Opened,
    Visitor,
    look_at_a_desk,
    look_on_a_phone,
)
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from readinglist.running.project import Project, open_project
from readinglist.settings import cache_folder

ROOT = Path(__file__).parents[2]
# Not the address of mkdocs.yml, so that a page which has that one by heart is found out.
SITE_URL = "https://reader.example/recurrent/"
# The time of any build, so that two builds of the same sources can give the same bytes.
EPOCH = "1764201600"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A browser may stop drawing a tab that it takes for hidden. A wait for it is to fail, not to hang.
NEXT_FRAME = """window.nextFrame = () => new Promise((resolve, reject) => {
    requestAnimationFrame(resolve)
    setTimeout(reject, 10_000, new Error('the browser drew no frame in 10 seconds'))
})"""
MEASURED = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Built:
    """How one build went."""

    seconds: float
    status: int
    output: str


@dataclass(frozen=True)
class Site:
    """The built site: its files, and where the server shows them."""

    folder: Path
    url: str  # ends with the path that SITE_URL has, as on a project's page of a host
    canonical: str = SITE_URL

    @property
    def pages(self) -> list[str]:
        """Every page, as its path below the site's root; 404.html is not a page."""
        return sorted(self._relative("**/*.html") - {"404.html"})

    @property
    def resource_pages(self) -> list[str]:
        return sorted(self._relative("resources/*.html"))

    @property
    def snippet_pages(self) -> list[str]:
        return sorted(self._relative("snippets/*.html") - {"snippets/index.html"})

    @property
    def opened_pages(self) -> list[str]:
        """What a browser may show: every page, and what it gets for a mistyped address."""
        return [*self.pages, "404.html"]

    def html(self, page: str) -> lxml.html.HtmlElement:
        """The page as it was built, before any script has touched it; not to be changed."""
        return _parsed(self.folder / page)

    def _relative(self, pattern: str) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.glob(pattern)}


@cache
def _parsed(path: Path) -> lxml.html.HtmlElement:
    return lxml.html.fromstring(path.read_text(encoding="utf-8"))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MEASURED] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lines := terminalreporter.config.stash[MEASURED]:
        terminalreporter.section("measured on the site")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a line for the end of the test's report."""
    return request.config.stash[MEASURED].append


@pytest.fixture(scope="session")
def copy_project() -> Callable[[Path], Path]:
    """Copies what git would commit: the build sees neither .venv nor .cache, nor later edits."""

    def copy(target: Path) -> Path:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (source := ROOT / name).is_file():  # else it was deleted and not yet committed
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target / name)
        return target

    return copy


@pytest.fixture(scope="session")
def stored_runs() -> Path:
    """The project's own cache: what has run before does not run again for the tests."""
    return cache_folder(ROOT).resolve()


@pytest.fixture(scope="session")
def call(stored_runs) -> Callable[..., Built]:
    """Calls a module of Python in a project's folder: `call(project, "mkdocs", "build")`.

    It has the stored runs, unless a keyword names another RECURRENT_CACHE, and one time for all.
    """

    def run(project: Path, *arguments: str | Path, **environ: str) -> Built:
        fixed = {"NO_MKDOCS_2_WARNING": "1", "SITE_URL": SITE_URL, "SOURCE_DATE_EPOCH": EPOCH}
        fixed |= {"RECURRENT_CACHE": str(stored_runs), **environ}
        inherited = {name: text for name, text in os.environ.items() if name != "REPO_URL"}
        command = [sys.executable, "-m", *map(str, arguments)]
        start = time.monotonic()
        process = subprocess.run(
            command, cwd=project, env=inherited | fixed, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - start
        return Built(seconds, process.returncode, process.stdout + process.stderr)

    return run


@pytest.fixture(scope="session")
def build(call) -> Callable[..., Built]:
    """Builds the project in a folder into another one: `build(project, folder)`."""

    def run(project: Path, folder: Path, generator: str = "mkdocs", **environ: str) -> Built:
        return call(project, generator, "build", "--quiet", "--site-dir", folder, **environ)

    return run


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, copy_project) -> Path:
    """The sources that the tested site was built from."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def built_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tested site is written, in a folder of its own for the server."""
    return tmp_path_factory.mktemp("www") / "recurrent"


@pytest.fixture(scope="session")
def built(project, build, built_folder) -> Built:
    """The build of the tested site: a cold one, if no run was stored."""
    built = build(project, built_folder)
    if built.status:
        pytest.fail(f"The site does not build; run `make build`.\n{built.output}", pytrace=False)
    return built


@pytest.fixture(scope="session")
def catalog(built, project, stored_runs) -> Project:
    """What is written and the stored runs behind the tested site."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECURRENT_CACHE", str(stored_runs))
        return open_project(project)


@pytest.fixture(scope="session")
def site(built, built_folder) -> Iterator[Site]:
    """The site, built from the sources as they stand and served on this machine."""
    handler = partial(_Handler, directory=str(built_folder.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(built_folder, f"http://127.0.0.1:{server.server_port}/recurrent/")
    server.shutdown()


class _Handler(SimpleHTTPRequestHandler):
    """Serves files as a host of static sites does: quietly, and with the site's own 404 page."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def send_error(self, code: int, *args: object, **kwargs: object) -> None:
        body = Path(self.directory, "recurrent", "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="session")
def shown_by(site) -> dict[str, list[str]]:
    """For each page, the names of the snippets whose cells or values stand on it."""
    shown = {}
    for page in site.pages:
        html = site.html(page)
        cells = html.xpath("//p[@class='origin']/a/@href")
        values = html.xpath("//span[@class='value']/@title")  # "computed by NAME.py: VARIABLE"
        names = [Path(href.split("#")[0]).stem for href in cells]
        names += [title.split()[2].removesuffix(".py:") for title in values]
        shown[page] = sorted(set(names))
    return shown


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def open_context(browser) -> Callable[..., BrowserContext]:
    """Makes a browser context: a visitor of its own, with nothing stored and nothing cached."""

    def make(scheme: str = "light", width: int = DESK, **options: object) -> BrowserContext:
        context = browser.new_context(
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": 800},
            reduced_motion="reduce",  # no transition is caught half way
            **options,  # type: ignore[arg-type]
        )
        context.set_default_timeout(10_000)
        context.add_init_script(NEXT_FRAME)
        return context

    return make


@pytest.fixture
def new_context(open_context) -> Iterator[Callable[..., BrowserContext]]:
    """The same, for tests that store, count or grant something: closed when the test ends."""
    made: list[BrowserContext] = []

    def make(*args: object, **options: object) -> BrowserContext:
        made.append(open_context(*args, **options))
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture(scope="session")
def visit(site, open_context) -> Callable[..., Page]:
    """Opens a page of the site, by its path, in a scheme and a width; ready when it returns.

    One tab for each scheme and width serves all tests, since a fresh one takes a second.
    """
    tabs: dict[tuple[str, int], Page] = {}

    def open_page(path: str, scheme: str = "light", width: int = DESK) -> Page:
        if (scheme, width) not in tabs:
            tabs[scheme, width] = open_context(scheme, width, base_url=site.url).new_page()
        page = tabs[scheme, width]
        page.bring_to_front()  # only what is in front is sure to be drawn
        page.goto(path)
        wanted = {"light": "default", "dark": "slate"}[scheme]
        page.wait_for_selector(f"body[data-md-color-scheme={wanted}]")
        page.evaluate("document.fonts.ready")
        return page

    return open_page


@pytest.fixture(scope="session")
def judged() -> set[str]:
    """What axe has seen of texts in the dark, at either width."""
    return set()


@pytest.fixture(scope="session")
def at_a_desk(site, open_context, judged) -> dict[str, AtADesk]:
    """All that was seen of each page at a desk, by its path."""
    with _visitor(open_context, DESK, judged) as visitor:
        return {path: look_at_a_desk(visitor, site.url, path) for path in site.opened_pages}


@pytest.fixture(scope="session")
def on_a_phone(site, open_context, judged) -> dict[str, OnAPhone]:
    """All that was seen of each page on a phone, by its path."""
    folder = site.folder.as_uri() + "/"
    # 404.html is made for a server: its links start at the root.
    roots = {path: folder for path in site.pages} | {"404.html": site.url}
    with _visitor(open_context, PHONE, judged) as visitor:
        return {path: look_on_a_phone(visitor, root, path) for path, root in roots.items()}


@pytest.fixture(params=["at_a_desk", "on_a_phone"])
def opened(request: pytest.FixtureRequest) -> dict[str, Opened]:
    """The records of the one, then of the other, for what is asked of all pages at both widths."""
    return request.getfixturevalue(request.param)


@contextmanager
def _visitor(
    open_context: Callable[..., BrowserContext], width: int, judged: set[str]
) -> Iterator[Visitor]:
    context = open_context(width=width)
    yield Visitor(context, judged)
    context.close()
