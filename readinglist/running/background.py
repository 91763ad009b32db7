"""Runs snippets while the site is served, which shows meanwhile what there is."""

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from readinglist.faults import Faults
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


@dataclass
class Job:
    """One run under way, or one that has failed: its key says of what exactly."""

    key: str
    runner: Runner
    failure: str = ""


class Background:
    """Runs what is not stored, as many at once as there are cores.

    The end of a run changes a file in its `folder`, which the server watches.
    """

    def __init__(self, pause: float = PAUSE) -> None:
        self.folder: Path | None = None  # known as soon as a project is
        self._pause = pause
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._stopped = False

    def runs(self, catalog: Catalog, make_runner: Callable[[], Runner]) -> dict[str, Run]:
        """The stored runs, and pending ones for the rest, which is started.

        A run of what a snippet was before is ended, and so is one of a snippet that is gone.
        """
        if self.folder is None:
            self.folder = cache_folder(catalog.root) / "served"
            self.announce()  # what is not there cannot be watched
        runner = make_runner()
        runs: dict[str, Run] = {}
        with self._lock:
            for name in set(self._jobs) - set(catalog.snippets):
                self._jobs.pop(name).runner.stop()
            for name, snippet in catalog.snippets.items():
                if stored := runner.stored(snippet):
                    runs[name] = _checked(snippet, stored, catalog)
                    continue
                job = self._job(snippet, runner.key(snippet), make_runner, catalog)
                runs[name] = pending_run(snippet, job.failure or RUNNING)
        return runs

    def _job(
        self, snippet: Snippet, wanted: str, make_runner: Callable[[], Runner], catalog: Catalog
    ) -> Job:
        """The job for this very text of the snippet: the one there is, or a new one."""
        job = self._jobs.get(snippet.name)
        if job and job.key == wanted:
            return job
        if job:
            job.runner.stop()
        job = self._jobs[snippet.name] = Job(wanted, make_runner())
        self._pool.submit(self._run, job, snippet, catalog)
        return job

    def _run(self, job: Job, snippet: Snippet, catalog: Catalog) -> None:
        if self._jobs.get(snippet.name) is not job:
            return
        log.info(f"Running {snippet.path.name}")
        try:
            run = job.runner.run_one(snippet)
            log.info(f"Ran {snippet.path.name} in {run.seconds:.1f} s")
        except Faults as error:
            if self._jobs.get(snippet.name) is not job or self._stopped:
                return  # ended by us
            job.failure = str(error.within(catalog.root))
            log.error(job.failure)
        except Exception as error:  # nobody waits for this thread's result
            job.failure = f"{snippet.path.name}: {error!r}"
            log.exception(job.failure)
        else:
            with self._lock:
                if self._jobs.get(snippet.name) is job:
                    del self._jobs[snippet.name]
        self._announce_soon()

    def _announce_soon(self) -> None:
        """Announces the end of a run: at once, or with those that end within the pause."""
        with self._lock:
            others = any(not job.failure for job in self._jobs.values())
            if self._stopped or (self._timer and others):
                return
            if self._timer:
                self._timer.cancel()
            self._timer = threading.Timer(self._pause if others else 0, self.announce)
            self._timer.daemon = True
            self._timer.start()

    def announce(self) -> None:
        """Changes the file that the server watches."""
        with self._lock:
            self._timer = None
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "ended").write_text(f"{time.time()}")

    def stop(self) -> None:
        """Ends every run. Those that had ended are stored."""
        with self._lock:
            self._stopped = True
            if self._timer:
                self._timer.cancel()
            self._pool.shutdown(wait=False, cancel_futures=True)
            for job in self._jobs.values():
                job.runner.stop()
        self._pool.shutdown()


def _checked(snippet: Snippet, run: Run, catalog: Catalog) -> Run:
    """The run, or one that tells what it lacks."""
    faults = list(run_faults(snippet, run))
    if not faults:
        return run
    message = str(Faults(faults).within(catalog.root))
    log.error(message)
    return pending_run(snippet, message)
