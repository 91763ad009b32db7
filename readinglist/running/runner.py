"""Runs snippets: several at once, each bounded, and only those whose result is not stored."""

import datetime
import os
import tempfile
import time
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from threading import Event

import nbformat
from tqdm import tqdm

from readinglist.faults import Fault, Faults
from readinglist.running.kernel import Kernel, Limits
from readinglist.running.store import Cache, Run, environment, files_in, key
from readinglist.sources.snippet import Snippet


class Runner:
    """Runs the snippets that are not in the cache, as many at once as there are cores."""

    def __init__(self, cache: Cache, style: str = "", limits: Limits | None = None) -> None:
        self.cache = cache
        self.style = style
        self.limits = limits or Limits()
        self._kernels: list[Kernel] = []
        self.stopped = Event()

    def key(self, snippet: Snippet) -> str:
        """What the snippet's result is stored under."""
        return key(snippet, self.style)

    def stored(self, snippet: Snippet) -> Run | None:
        """The snippet's run, if the cache has it, with the snippet's prose as it stands now."""
        run = self.cache.load(snippet.name, self.key(snippet))
        return run and replace(run, notebook=_with_outputs(snippet, run.notebook))

    def run(self, snippets: Collection[Snippet], workers: int | None = None) -> dict[str, Run]:
        """Every snippet's run, by name, from the cache or made now.

        Raises:
            Faults: what went wrong in each snippet that failed; the others' runs are stored.
        """
        self.cache.check()
        stored = {s.name: run for s in snippets if (run := self.stored(s))}
        missing = [s for s in snippets if s.name not in stored]
        missing.sort(key=self._expected, reverse=True)
        return stored | (self._run_missing(missing, workers) if missing else {})

    def _expected(self, snippet: Snippet) -> tuple[bool, float]:
        """Longest first: by its last run, else by its length, the best guess there is."""
        seconds = self.cache.seconds(snippet.name)
        return (seconds is None, seconds or sum(len(cell.source) for cell in snippet.cells))

    def _run_missing(self, snippets: list[Snippet], workers: int | None) -> dict[str, Run]:
        runs: dict[str, Run] = {}
        faults: list[Fault] = []
        bar = tqdm(total=len(snippets), desc="snippets", unit="", dynamic_ncols=True)
        # Not in the main thread: nbclient would install signal handlers that outlive a run.
        with bar, ThreadPoolExecutor(workers or os.cpu_count()) as pool:
            names = {pool.submit(self.run_one, s): s.name for s in snippets}
            running = set(names)
            try:
                while running:
                    # Python acts on a signal between two steps of the main thread. One that comes
                    # just before the thread goes to sleep does not wake it, so no sleep is long.
                    ended, running = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
                    for future in ended:
                        try:
                            runs[names[future]] = future.result()
                        except Faults as error:
                            faults += error.faults
                        bar.set_postfix_str(names[future])
                        bar.update()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.stop()
                raise
        if faults:
            raise Faults(faults)
        return runs

    def stop(self) -> None:
        """Ends every run that is under way, and those that are about to start."""
        self.stopped.set()
        for kernel in tuple(self._kernels):
            kernel.kill()

    def run_one(self, snippet: Snippet) -> Run:
        """Runs one snippet in an empty folder and stores the result."""
        with tempfile.TemporaryDirectory(prefix="snippet-", ignore_cleanup_errors=True) as folder:
            kernel = Kernel(snippet, Path(folder), self.style, self.limits, self.stopped)
            self._kernels.append(kernel)
            start = time.monotonic()
            try:
                kernel.run()
            finally:
                self._kernels.remove(kernel)
            run = Run(
                seconds=round(time.monotonic() - start, 2),
                date=datetime.date.today().isoformat(),
                assertions=snippet.assertions,
                versions=environment(snippet),
                notebook=_with_outputs(snippet, kernel.nb),
                files=files_in(kernel.work),
                **kernel.published(),
            )
            return self.cache.store(snippet.name, self.key(snippet), run)


def _with_outputs(snippet: Snippet, executed: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The snippet's notebook, its prose as it stands now, with the outputs in `executed`."""
    notebook = snippet.notebook()
    cells = {cell.metadata.get("name"): cell for cell in executed.cells}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = list(_joined(cells[cell.metadata.name].outputs))
            cell.execution_count = cells[cell.metadata.name].execution_count
    notebook.metadata = executed.metadata
    return notebook


def _joined(outputs: list[nbformat.NotebookNode]) -> Iterator[nbformat.NotebookNode]:
    """The outputs with the pieces of a text put together, in an order that does not vary.

    Text comes in pieces as a buffer is emptied, and stdout and stderr race each other. nbclient
    could join them, but it would move what is printed after a figure to before it.
    """
    for streams, group in groupby(outputs, lambda output: output.output_type == "stream"):
        pieces = list(group)
        if not streams:
            yield from pieces
            continue
        for name in ("stdout", "stderr"):
            text = "".join(piece.text for piece in pieces if piece.name == name)
            if text:
                yield nbformat.v4.new_output("stream", name=name, text=_as_shown(text))


def _as_shown(text: str) -> str:
    """Each line as a terminal leaves it: what a carriage return starts anew is gone."""
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
