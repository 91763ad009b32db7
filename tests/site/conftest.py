"""The site as a reader gets it: built once, served on this machine, opened in a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import lxml.html
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from readinglist.pages.session import Session, open_session
from readinglist.project import cache_folder

ROOT = Path(__file__).parents[2]
# Not the address of mkdocs.yml, so that a page which has that one by heart is found out.
SITE_URL = "https://reader.example/recurrent/"
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

    folder: Path
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

    def html(self, page: str) -> lxml.html.HtmlElement:
        """The page as it was built, before any script has touched it."""
        return lxml.html.fromstring((self.folder / page).read_text(encoding="utf-8"))

    def _relative(self, pattern: str) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.glob(pattern)}


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
def build() -> Callable[..., Built]:
    """Builds the project in a folder into another one, with the given cache."""

    def run(project: Path, folder: Path, cache: Path, generator: str = "mkdocs") -> Built:
        environ = {k: v for k, v in os.environ.items() if k != "REPO_URL"}
        environ |= {"NO_MKDOCS_2_WARNING": "1", "SITE_URL": SITE_URL, "RECURRENT_CACHE": str(cache)}
        command = [sys.executable, "-m", generator, "build", "--quiet", "--site-dir", str(folder)]
        start = time.monotonic()
        process = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True)
        seconds = time.monotonic() - start
        return Built(folder, seconds, process.returncode, process.stdout + process.stderr)

    return run


@pytest.fixture(scope="session")
def cache() -> Path:
    """The project's own cache: what has run before does not run again for the tests."""
    return cache_folder(ROOT).resolve()


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, copy_project) -> Path:
    """The sources that the tested site was built from."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, project, build, cache) -> tuple[Built, Session]:
    """The build of the site, and the catalog and the stored runs behind it."""
    built = build(project, tmp_path_factory.mktemp("www") / "recurrent", cache)
    if built.status:
        pytest.fail(f"The site does not build; run `make build`.\n{built.output}", pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECURRENT_CACHE", str(cache))
        return built, open_session(project)


@pytest.fixture(scope="session")
def session(built) -> Session:
    """The catalog and the stored runs behind the tested site."""
    return built[1]


@pytest.fixture(scope="session")
def site(built) -> Iterator[Site]:
    """The site, built from the sources as they stand and served on this machine."""
    folder = built[0].folder
    handler = partial(_Handler, directory=str(folder.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(folder, f"http://127.0.0.1:{server.server_port}/recurrent/")
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

    def make(scheme: str = "light", width: int = 1280, **options: object) -> BrowserContext:
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

    def open_page(path: str, scheme: str = "light", width: int = 1280) -> Page:
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
def read_through() -> Callable[[Page], None]:
    """Scrolls an open page from top to bottom: Material looks at a block when it is in sight."""
    script = """async () => {
        for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
            scrollTo({ top: y, behavior: 'instant' })
            await nextFrame(); await nextFrame()
        }
        scrollTo({ top: 0, behavior: 'instant' })
    }"""
    return lambda page: page.evaluate(script)
