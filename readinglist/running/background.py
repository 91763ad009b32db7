"""Runs snippets while the site is served, which shows meanwhile what there is."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from readinglist.faults import Fault, Faults
from readinglist.running.pending import pending_run
from readinglist.running.run_checks import run_faults
from readinglist.running.runner import Runner
from readinglist.running.store import Run, key
from readinglist.sources.catalog import Catalog
from readinglist.sources.snippet import Snippet

log = logging.getLogger("mkdocs.readinglist")


RUNNING = "Running. The result comes when it has ended."


PAUSE = 5.0  # seconds between two announcements: each makes the site be built anew


@dataclass
class Job:
    """One run under way, or one that has failed: its key says of what exactly."""

    key: str
    runner: Runner
    failure: str = ""


class Background:
    """Runs what is not stored, as many at once as there are cores; `announce` tells of the ends."""

    def __init__(self, announce: Callable[[], None], pause: float = PAUSE) -> None:
        self._announce = announce
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
        runner = make_runner()
        runs: dict[str, Run] = {}
        with self._lock:
            for name in set(self._jobs) - set(catalog.snippets):
                self._jobs.pop(name).runner.stop()
            for name, snippet in catalog.snippets.items():
                if stored := runner.stored(snippet):
                    runs[name] = _checked(snippet, stored, catalog)
                    continue
                job = self._job(snippet, key(snippet, runner.version), make_runner, catalog)
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
            job.failure = _told(error.faults, catalog)
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
        """Announces the end of a run, together with those that end within the pause."""
        with self._lock:
            if self._stopped or self._timer:
                return
            self._timer = threading.Timer(self._pause, self._announce_now)
            self._timer.daemon = True
            self._timer.start()

    def _announce_now(self) -> None:
        with self._lock:
            self._timer = None
        self._announce()

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
    told = _told(faults, catalog)
    log.error(told)
    return pending_run(snippet, told)


def _told(faults: list[Fault], catalog: Catalog) -> str:
    return str(Faults(catalog.relative(faults)))
