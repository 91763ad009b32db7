"""Runs snippets: several at once, each bounded, and only those whose result is not stored."""

import atexit
import datetime
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import nbformat
from tqdm import tqdm

from readinglist.faults import Fault, Faults
from readinglist.running.kernel import FAILURES, Kernel, Limits, failure, kernel_environment
from readinglist.running.store import Cache, Run, environment, key
from readinglist.sources.snippet import Snippet


class Runner:
    """Runs the snippets that are not in the cache, as many at once as there are cores."""

    def __init__(self, cache: Cache, style: str = "", limits: Limits | None = None) -> None:
        self.cache = cache
        self.style = style
        self.limits = limits or Limits()
        self._kernels: list[Kernel] = []
        self._stopped = False

    def key(self, snippet: Snippet) -> str:
        """What the snippet's result is stored under."""
        return key(snippet, self.style)

    def stored(self, snippet: Snippet) -> Run | None:
        """The snippet's run, if the cache has it, with the snippet's prose as it stands now."""
        run = self.cache.load(snippet.name, self.key(snippet))
        return _with_current_prose(snippet, run) if run else None

    def run(self, snippets: Iterable[Snippet], workers: int | None = None) -> dict[str, Run]:
        """Every snippet's run, by name, from the cache or made now.

        Raises:
            Faults: what went wrong in each snippet that failed; the others' runs are stored.
        """
        self.cache.check()
        runs = {}
        missing = []
        for snippet in snippets:
            if stored := self.stored(snippet):
                runs[snippet.name] = stored
            else:
                missing.append(snippet)
        if missing:
            runs |= self._run_missing(sorted(missing, key=self._expected, reverse=True), workers)
        return runs

    def _expected(self, snippet: Snippet) -> tuple[bool, float]:
        """Longest first: by its last run, else by its length, the best guess there is."""
        seconds = self.cache.seconds(snippet.name)
        return (seconds is None, seconds or sum(len(cell.source) for cell in snippet.cells))

    def _run_missing(self, snippets: list[Snippet], workers: int | None) -> dict[str, Run]:
        runs: dict[str, Run] = {}
        faults: list[Fault] = []
        bar = tqdm(
            total=len(snippets), desc="snippets", unit="", file=sys.stderr, dynamic_ncols=True
        )
        # Not in the main thread: nbclient would install signal handlers that outlive a run.
        with bar, ThreadPoolExecutor(workers or os.cpu_count()) as pool:
            futures: dict[Future[Run], str] = {
                pool.submit(self.run_one, s): s.name for s in snippets
            }
            try:
                for future in _as_completed(futures):
                    try:
                        runs[futures[future]] = future.result()
                    except Faults as error:
                        faults += error.faults
                    bar.set_postfix_str(futures[future])
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
        self._stopped = True
        for kernel in tuple(self._kernels):
            kernel.stop()

    def run_one(self, snippet: Snippet) -> Run:
        """Runs one snippet in an empty folder and stores the result."""
        with tempfile.TemporaryDirectory(prefix="snippet-", ignore_cleanup_errors=True) as folder:
            work = Path(folder, "work")
            work.mkdir()
            start = time.monotonic()
            kernel = self._execute(snippet, work)
            run = Run(
                seconds=round(time.monotonic() - start, 2),
                date=datetime.date.today().isoformat(),
                assertions=snippet.assertions,
                versions=environment(snippet),
                values=kernel.values(),
                warnings=kernel.warnings(),
                notebook=_with_outputs(snippet.notebook(), kernel.nb),
                files={p.relative_to(work).as_posix(): p for p in work.rglob("*") if p.is_file()},
            )
            stored = self.cache.store(snippet.name, self.key(snippet), run)
            return _with_current_prose(snippet, stored)

    def _execute(self, snippet: Snippet, work: Path) -> Kernel:
        """The kernel that ran the snippet to its end, with the executed notebook."""
        folder = work.parent
        style = folder / "matplotlibrc"
        style.write_text(self.style, encoding="utf-8")
        kernel = Kernel(snippet, folder, self.limits)
        self._kernels.append(kernel)
        if self._stopped:
            kernel.stop()
        try:
            # What the kernel itself says is not for the page, nor for the terminal.
            with Path(folder, "kernel.log").open("w") as log:
                environ = kernel_environment(folder, style)
                kernel.execute(cwd=str(work), env=environ, stdout=log, stderr=log)
        except FAILURES as error:
            raise Faults([failure(snippet, kernel, error)]) from None
        finally:
            kernel.kill()  # nbclient leaves behind what a dead kernel had started
            self._kernels.remove(kernel)
            atexit.unregister(kernel._cleanup_kernel)  # nbclient forgets it when a start fails
        return kernel


def _as_completed(futures: Iterable[Future[Run]]) -> Iterator[Future[Run]]:
    """The futures, each as it is done, with the waiting interruptible at any moment.

    Python acts on a signal between two steps of the main thread. One that comes just before the
    thread goes to sleep does not wake it, so no sleep is long.
    """
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
        yield from done


def _with_current_prose(snippet: Snippet, run: Run) -> Run:
    return replace(run, notebook=_with_outputs(snippet.notebook(), run.notebook))


def _with_outputs(
    notebook: nbformat.NotebookNode, executed: nbformat.NotebookNode
) -> nbformat.NotebookNode:
    """`notebook` with the outputs of the code cells of the same names in `executed`."""
    outputs = {cell.metadata.get("name"): cell for cell in executed.cells}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = list(_joined(outputs[cell.metadata.name].outputs))
            cell.execution_count = outputs[cell.metadata.name].execution_count
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
