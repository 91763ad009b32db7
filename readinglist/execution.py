"""Runs snippets: several at once, each bounded, and only those whose result is not stored."""

from __future__ import annotations

import atexit
import datetime
import hashlib
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tqdm import tqdm

from readinglist.cache import Cache, Run, environment, key
from readinglist.faults import Fault, Faults
from readinglist.snippet import Cell, Snippet

ANSI = re.compile(r"\x1b\[[0-9;]*m")

# Run in the kernel after the last cell: what a page may quote.
COLLECT_VALUES = """
def __collect(namespace):
    import math
    def describe(value):
        kind = type(value).__name__
        if callable(getattr(value, "item", None)):  # a scalar of numpy or torch
            try:
                value = value.item()
            except (ValueError, RuntimeError, TypeError):
                return {"refused": f"a {kind} with more than one element"}
        if isinstance(value, float) and not math.isfinite(value):
            return {"refused": f"not finite ({value})"}
        if isinstance(value, (bool, int, float, str)):
            return {"value": value}
        return {"refused": f"a {kind}"}
    ipython = {"In", "Out", "exit", "quit", "open", "get_ipython"}
    names = [name for name in namespace if not name.startswith("_") and name not in ipython]
    return {name: describe(namespace[name]) for name in names}
get_ipython().display_pub.publish({"application/json": __collect(dict(globals()))})
"""


@dataclass(frozen=True)
class Limits:
    """What one snippet may use."""

    seconds: int = 120
    output_bytes: int = 1_000_000


class Kernel(NotebookClient):
    """Runs one notebook within limits, and knows which cell it is at."""

    def __init__(self, notebook: nbformat.NotebookNode, limits: Limits) -> None:
        self.cell_index = 0
        self.output_bytes = 0
        self.limits = limits
        self.deadline = time.monotonic() + limits.seconds
        super().__init__(
            notebook,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            shutdown_kernel="immediate",
            timeout_func=lambda _: max(1, round(self.deadline - time.monotonic())),
            extra_arguments=["--InlineBackend.figure_formats={'svg'}"],
        )
        self.on_cell_execute = self._at_cell

    def _at_cell(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        self.cell_index = cell_index

    def process_message(self, msg: dict, cell: nbformat.NotebookNode, cell_index: int) -> Any:
        if msg["msg_type"] in ("stream", "display_data", "execute_result"):
            self.output_bytes += len(str(msg["content"]))
            if self.overflowed:
                self.kill()
                return None
        return super().process_message(msg, cell, cell_index)

    @property
    def overflowed(self) -> bool:
        return self.output_bytes > self.limits.output_bytes

    def kill(self) -> None:
        """Ends the kernel at once, whatever it is doing."""
        provisioner = getattr(self.km, "provisioner", None)
        if provisioner is not None and provisioner.pid:
            with suppress(ProcessLookupError):
                os.kill(provisioner.pid, signal.SIGKILL)


class Runner:
    """Runs the snippets that are not in the cache, as many at once as there are cores."""

    def __init__(self, cache: Cache, style: str = "", limits: Limits | None = None) -> None:
        self.cache = cache
        self.style = style
        self.limits = limits or Limits()
        self.version = hashlib.sha256(Path(__file__).read_bytes() + style.encode()).hexdigest()
        self._kernels: list[Kernel] = []

    def stored(self, snippet: Snippet) -> Run | None:
        """The snippet's run, if the cache has it, with the snippet's prose as it stands now."""
        run = self.cache.load(snippet.name, key(snippet, self.version))
        return (
            replace(run, notebook=_with_outputs(snippet.notebook(), run.notebook)) if run else None
        )

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
                for future in as_completed(futures):
                    try:
                        runs[futures[future]] = future.result()
                    except Faults as error:
                        faults += error.faults
                    bar.set_postfix_str(futures[future])
                    bar.update()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for kernel in self._kernels:
                    kernel.kill()
                raise
        if faults:
            raise Faults(faults)
        return runs

    def run_one(self, snippet: Snippet) -> Run:
        """Runs one snippet in an empty folder and stores the result."""
        with tempfile.TemporaryDirectory(prefix="snippet-") as folder:
            work = Path(folder, "work")
            work.mkdir()
            start = time.monotonic()
            notebook = self._execute(snippet, work)
            run = Run(
                seconds=round(time.monotonic() - start, 2),
                date=datetime.date.today().isoformat(),
                assertions=snippet.assertions,
                versions=environment(snippet),
                values=notebook.cells.pop().outputs[0]["data"]["application/json"],
                notebook=notebook,
                files={p.relative_to(work).as_posix(): p for p in work.rglob("*") if p.is_file()},
            )
            return self.cache.store(snippet.name, key(snippet, self.version), run)

    def _execute(self, snippet: Snippet, work: Path) -> nbformat.NotebookNode:
        """The executed notebook, with one more cell at its end: the collected values."""
        style = work.parent / "matplotlibrc"
        style.write_text(self.style, encoding="utf-8")
        notebook = snippet.notebook()
        notebook.cells.append(nbformat.v4.new_code_cell(COLLECT_VALUES, id="values"))
        kernel = Kernel(notebook, self.limits)
        self._kernels.append(kernel)
        try:
            # What the kernel itself says is not for the page, nor for the terminal.
            with Path(work.parent, "kernel.log").open("w") as log:
                environ = _kernel_environment(work.parent, style)
                kernel.execute(cwd=str(work), env=environ, stdout=log, stderr=log)
        except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as error:
            raise Faults([_failure(snippet, kernel, error)]) from None
        finally:
            self._kernels.remove(kernel)
            atexit.unregister(kernel._cleanup_kernel)  # nbclient forgets it when a start fails
        return notebook


def _with_outputs(
    notebook: nbformat.NotebookNode, executed: nbformat.NotebookNode
) -> nbformat.NotebookNode:
    """`notebook` with the outputs of the code cells of the same names in `executed`."""
    outputs = {cell.metadata.name: cell for cell in executed.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = outputs[cell.metadata.name].outputs
            cell.execution_count = outputs[cell.metadata.name].execution_count
    return notebook


def _kernel_environment(folder: Path, style: Path) -> dict[str, str]:
    """The environment of a kernel: this process's, less what would change a snippet's result."""
    dropped = ("PYTHON", "MPL", "JUPYTER", "IPYTHON")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    fixed = {
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        # A debugger's warning would otherwise land on the page as stderr.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # The date inside a figure: the same run gives the same bytes.
        "SOURCE_DATE_EPOCH": "0",
        "IPYTHONDIR": str(folder / "ipython"),
        "MATPLOTLIBRC": str(style),
    }
    return {**kept, **threads, **fixed}


def _failure(snippet: Snippet, kernel: Kernel, error: Exception) -> Fault:
    cell = snippet.cells[min(kernel.cell_index, len(snippet.cells) - 1)]
    where, line = f"cell '{cell.name}'", cell.line
    if kernel.overflowed:
        limit = f"{kernel.limits.output_bytes:,} bytes"
        message = f"{where} printed more than a snippet may ({limit}); print less"
    elif isinstance(error, CellTimeoutError):
        seconds = kernel.limits.seconds
        message = (
            f"{where} was still running when the snippet's {seconds} s were over; make it shorter"
        )
    elif isinstance(error, CellExecutionError):
        line, trace = _raised_at(cell, error)
        message = f"{where} raised {error.ename}: {error.evalue}".rstrip(": ") + trace
    else:
        message = f"{where} killed its kernel (exit, out of memory or a crash in compiled code)"
    return Fault(snippet.path, line, message)


def _raised_at(cell: Cell, error: CellExecutionError) -> tuple[int, str]:
    """The line in the file that raised, and that line's text, from the kernel's traceback."""
    trace = ANSI.sub("", error.traceback)
    numbers = re.findall(r"^-+> (\d+) ", trace, re.MULTILINE)
    if not numbers:
        return cell.line, ""
    number = int(numbers[0])
    lines = cell.source.splitlines()
    return cell.line + number, f"\n    {lines[number - 1].strip()}" if number <= len(lines) else ""
