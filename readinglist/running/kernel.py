"""The process that a snippet runs in: bounded, apart, and able to say why it ended."""

import asyncio
import atexit
import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from readinglist.faults import Fault, Faults
from readinglist.running.outputs import plain_text
from readinglist.sources.snippet import Cell, Snippet

BUDGET = 60  # seconds of one core for a snippet
IN_KERNEL = Path(__file__).with_name("in_kernel.py")
OUTPUTS = ("stream", "display_data", "execute_result", "update_display_data")
LONGEST_MESSAGE = 500  # characters; an exception may carry a whole tensor
LONGEST_SOCKET = 100  # characters of a path; systems stop at 104 or 108
FAILURES = (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError)


def _aside(call: str) -> str:
    """Code for the kernel that calls a function of in_kernel.py, apart from the snippet's names."""
    code = f"{IN_KERNEL.read_text(encoding='utf-8')}\n{call}"
    shell = "{'shell': __import__('IPython').get_ipython()}"
    return f"__import__('builtins').exec({code!r}, {shell})"


@dataclass(frozen=True)
class Limits:
    """What one snippet may use."""

    seconds: int = 120
    characters: int = 1_000_000  # of output, figures included


class Kernel(NotebookClient):
    """Runs one snippet within limits, in `folder`, and knows which cell it is at."""

    def __init__(
        self, snippet: Snippet, folder: Path, style: str, limits: Limits, stopped: Event
    ) -> None:
        self.snippet = snippet
        self.folder = folder
        self.style = style
        self.limits = limits
        self.stopped = stopped
        self.work = folder / "work"  # where the snippet runs, and leaves its files
        self.deadline = 0.0  # set when the first cell begins: a start may take long, see nbclient
        self.cell: Cell | None = None  # none before the first
        self.characters = 0
        self.process: subprocess.Popen[bytes] | None = None
        notebook = snippet.notebook()
        publish = _aside(f"publish(shell, {list(snippet.code)})")
        notebook.cells.append(nbformat.v4.new_code_cell(publish, id="values"))
        super().__init__(
            notebook,
            _manager(folder),
            record_timing=False,
            shutdown_kernel="immediate",
            timeout_func=lambda _: max(1, round(self.deadline - time.monotonic())),
            # Output that comes late on a busy machine is waited for, or the run would lack it.
            iopub_timeout=limits.seconds,
            raise_on_iopub_timeout=True,
            on_cell_execute=self._at_cell,
            extra_arguments=[
                "--InlineBackend.figure_formats={'svg'}",
                f"--IPKernelApp.exec_lines={[_aside('keep_warnings(shell)')]!r}",
            ],
        )

    def run(self) -> None:
        """Runs the snippet to its end, and leaves neither a process nor a task behind.

        Raises:
            Faults: what went wrong.
        """
        self.work.mkdir()
        style = self.folder / "matplotlibrc"
        style.write_text(self.style, encoding="utf-8")
        environ = kernel_environment(self.folder, style)
        try:
            # What the kernel itself says is not for the page, nor for the terminal.
            with (self.folder / "kernel.log").open("w") as log:
                process: dict[str, Any] = {"env": environ, "stdout": log, "stderr": log}
                asyncio.run(self.async_execute(cleanup_kc=True, cwd=self.work, **process))
        except FAILURES as error:
            raise Faults([_failure(self, error)]) from None
        finally:
            self.kill()  # nbclient leaves behind what a dead kernel had started
            atexit.unregister(self._cleanup_kernel)  # nbclient forgets it when a start fails

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Starts the process, unless the build was stopped in the meantime."""
        await super().async_start_new_kernel(**kwargs)
        self.process = self.km.provisioner.process  # type: ignore[union-attr]
        if self.stopped.is_set():
            self.kill()

    @property
    def overflowed(self) -> bool:
        """Whether the snippet showed more than it may."""
        return self.characters > self.limits.characters

    def _at_cell(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        if not self.cell:
            self.deadline = time.monotonic() + self.limits.seconds
        if not self.overflowed:
            self.cell = self.snippet.code.get(cell.metadata.get("name"), self.cell)

    def process_message(self, msg: dict, cell: nbformat.NotebookNode, cell_index: int) -> Any:
        # The last cell is ours, and has no name.
        if msg["msg_type"] in OUTPUTS and "name" in cell.metadata:
            self.characters += len(str(msg["content"]))
            if self.overflowed:
                self.kill()
                return None
        return super().process_message(msg, cell, cell_index)

    def published(self) -> dict[str, Any]:
        """The `values` that the snippet's variables held at its end, and its `warnings`."""
        data = [output.get("data", {}) for output in self.nb.cells[-1].outputs]
        return next(kinds["application/json"] for kinds in data if "application/json" in kinds)

    def kill(self) -> None:
        """Ends the process and those it started, whatever they are doing."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def _manager(folder: Path) -> AsyncKernelManager:
    """A manager of this Python's own kernel, with nothing outside the run's folder.

    A kernel that someone installed as `python3` may be another Python's. Sockets in a folder
    cannot be taken by a second build, as ports can; but their paths must be short.
    """
    socket = str(folder / "socket")
    return AsyncKernelManager(
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(folder / "kernel.json"),
        **({"transport": "ipc", "ip": socket} if len(socket) < LONGEST_SOCKET else {}),
    )


def kernel_environment(folder: Path, style: Path) -> dict[str, str]:
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


def _failure(kernel: Kernel, error: Exception) -> Fault:
    """What went wrong in a run, for the person who wrote the snippet."""
    path, cell = kernel.snippet.path, kernel.cell
    if not cell:
        log = (kernel.folder / "kernel.log").read_text(encoding="utf-8").splitlines()
        why = next((line.strip() for line in reversed(log) if "rror" in line), str(error))
        message = f"the kernel did not start: {why}; make clean, then make build, sets it up anew"
        return Fault(path, 1, message)
    line, trace = cell.line, ""
    if kernel.overflowed:
        what = f"printed and showed more than {kernel.limits.characters:,} characters"
        what += ", all that a snippet may; print less"
    elif isinstance(error, CellTimeoutError):
        what = f"was still running when the snippet's {kernel.limits.seconds} s were over"
        what += "; make it do less, or look for a loop that never ends"
    elif isinstance(error, CellExecutionError):
        line, trace = _raised_at(cell, error)
        said = f"{error.ename}: {error.evalue}".rstrip(": ")
        what = f"raised {said[:LONGEST_MESSAGE]}{'…' if len(said) > LONGEST_MESSAGE else ''}"
    else:
        what = f"{_ending(kernel)}; run 'python snippets/{path.name}' by itself to see more"
    return Fault(path, line, f"cell '{cell.name}' {what}{trace}")


def _ending(kernel: Kernel) -> str:
    status = kernel.process.wait() if kernel.process else 0
    if status == -signal.SIGKILL:
        return "was killed by SIGKILL, as happens when memory runs out"
    if status < 0:
        return f"crashed with {signal.Signals(-status).name}, most likely in compiled code"
    return f"ended its process with exit status {status}, as os._exit does"


def _raised_at(cell: Cell, error: CellExecutionError) -> tuple[int, str]:
    """The line in the file that raised, and that line's text, from the kernel's traceback."""
    raised = re.search(r"^-+> (\d+) (.*)", plain_text(error.traceback), re.MULTILINE)
    if not raised:
        return cell.line, ""
    # IPython drops the blank lines at the top of a cell before it counts.
    blank = cell.source.count("\n") - cell.source.lstrip().count("\n")
    return cell.line + blank + int(raised[1]), f"\n    {raised[2].strip()}"
