"""Runs snippets while the site is served, which shows meanwhile what there is."""

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from readinglist.faults import Faults
from readinglist.memory import MEMORY
from readinglist.running.pending import pending_run
from readinglist.running.run_checks import run_faults
from readinglist.running.runner import Runner
from readinglist.running.store import Run
from readinglist.settings import cache_folder
from readinglist.sources.catalog import Catalog
from readinglist.sources.snippet import Snippet

log = logging.getLogger("mkdocs.readinglist")
RUNNING = "Running. The result comes when it has ended."
PAUSE = 5.0  # seconds between two announcements while others run: each builds the site anew


@dataclass(frozen=True)
class Job:
    """One run that was started: its key says of what exactly."""

    key: str
    runner: Runner
    failure: Future[str]  # empty if the run ended well

    @property
    def message(self) -> str:
        """What stands where the result would be; empty if the run has ended well."""
        return self.failure.result() if self.failure.done() else RUNNING

    def stop(self) -> None:
        """Ends the run, or takes it out of the queue."""
        self.runner.stop()
        self.failure.cancel()


class Background:
    """Runs what is not stored, as many at once as there are cores.

    The end of a run changes a file in its `folder`, which the server watches.
    """

    def __init__(self, pause: float = PAUSE) -> None:
        self.folder: Path | None = None  # known as soon as a project is
        self._pause = pause
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._jobs: dict[str, Job] = {}
        self._shown: dict[str, tuple[str, Snippet, Run]] = {}  # by name, of the build before
        self._lock = threading.RLock()  # a run may end while its callback is being added
        self._timer = threading.Timer(0, self.announce)

    def runs(self, catalog: Catalog, make_runner: Callable[[], Runner]) -> dict[str, Run]:
        """The stored runs, and pending ones for the rest, which is started.

        A run of what a snippet was before is ended, and so is one of a snippet that is gone.
        """
        if self.folder is None:
            self.folder = cache_folder(catalog.root) / "served"
            self.announce()  # what is not there cannot be watched
        with self._lock:
            for name in set(self._jobs) - set(catalog.snippets):
                self._jobs.pop(name).stop()
            return {
                name: self._run(snippet, make_runner(), catalog.root)
                for name, snippet in catalog.snippets.items()
            }

    def _run(self, snippet: Snippet, runner: Runner, root: Path) -> Run:
        """The stored run, or a pending one with a message; starts what nobody has started."""
        job = self._jobs.get(snippet.name)
        key = runner.key(snippet)
        # Asked before the cache: a run that ends in between is stored, and not started again.
        message = job.message if job and job.key == key else ""
        shown = self._shown.get(snippet.name)
        if shown and shown[:2] == (key, snippet) and runner.cache.holds(snippet.name, key):
            return shown[2]
        if stored := runner.stored(snippet):
            faults = Faults(run_faults(snippet, stored))
            if not faults.faults:
                self._shown[snippet.name] = key, snippet, stored
                return stored
            message = str(faults.within(root))
            log.error(message)
        elif not message:
            message = RUNNING
            if job:
                job.stop()
            job = Job(key, runner, self._pool.submit(_failure, runner, snippet, root))
            self._jobs[snippet.name] = job
            job.failure.add_done_callback(lambda _: self._announce_soon(runner))
        return pending_run(snippet, message)

    def _announce_soon(self, runner: Runner) -> None:
        """Announces the end of a run: at once, or with those that end within the pause."""
        if runner.stopped.is_set():
            return
        with self._lock:
            others = any(not job.failure.done() for job in self._jobs.values())
            if not (others and self._timer.is_alive()):
                self._timer.cancel()
                self._timer = threading.Timer(self._pause if others else 0, self.announce)
                self._timer.daemon = True
                self._timer.start()

    def announce(self) -> None:
        """Changes the file that the server watches."""
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "ended").write_text(f"{time.time()}")

    def stop(self) -> None:
        """Ends every run. Those that had ended are stored."""
        for job in self._jobs.values():
            job.stop()
        self._pool.shutdown()
        self._timer.cancel()
        MEMORY.save()


def _failure(runner: Runner, snippet: Snippet, root: Path) -> str:
    """Runs a snippet; what went wrong, or nothing."""
    log.info(f"Running {snippet.path.name}")
    try:
        run = runner.run_one(snippet)
        log.info(f"Ran {snippet.path.name} in {run.seconds:.1f} s")
        return ""
    except Faults as error:
        failure = str(error.within(root))
        if not runner.stopped.is_set():
            log.error(failure)
    except Exception as error:  # nobody waits for this thread's result
        failure = f"{snippet.path.name}: {error!r}"
        log.exception(failure)
    return failure
