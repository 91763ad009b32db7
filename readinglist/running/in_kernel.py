"""What the kernel runs before a snippet's first cell and after its last.

The text of this file is executed there, in a namespace of its own: a snippet may call a variable
`type`, and the project cannot be imported where a snippet runs.
"""

import math
import os
import sys
import warnings
from typing import Any

DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
# What these do themselves is no matter of the snippet's.
MACHINERY = {"IPython", "ipykernel", "traitlets", "matplotlib_inline", "comm", "zmq", "tornado"}


def keep_warnings(shell: Any) -> None:
    """Keeps every warning, and shows those that are not about a deprecation, as Python does."""
    shell.kept_warnings = []
    show = warnings.showwarning

    def keep(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        deprecated = issubclass(category, DEPRECATIONS)
        kept = {
            "category": category.__name__,
            "message": str(message)[:500],
            "deprecated": deprecated,
            "cell": len(shell.history_manager.input_hist_parsed) - 1,
            "line": _line_in_cell(shell),
        }
        if kept["line"] and not MACHINERY.intersection(filename.split(os.sep)):
            shell.kept_warnings.append(kept)
        if not deprecated:
            show(message, category, filename, lineno, file, line)

    for category in DEPRECATIONS:
        warnings.simplefilter("default", category)
    warnings.showwarning = keep


def _line_in_cell(shell: Any) -> int:
    """The line of the cell that is being executed, or 0 if none is."""
    frame, line = sys._getframe(), 0
    while frame:
        if frame.f_globals is shell.user_ns and frame.f_code.co_name == "<module>":
            line = frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return line


def publish(shell: Any) -> None:
    """Shows, as an output of its own kind, what a page may quote and what was warned of."""
    hidden = shell.user_ns_hidden
    names = [name for name in shell.user_ns if not name.startswith("_") and name not in hidden]
    values = {name: _described(shell.user_ns[name]) for name in names}
    content = {"values": values, "warnings": shell.kept_warnings}
    shell.display_pub.publish({"application/json": content})


def _described(value: Any) -> dict[str, Any]:
    """A finite number or a short text as `value`, or why there is none as `refused`."""
    kind = type(value).__name__
    if callable(getattr(value, "item", None)):  # a scalar of numpy or torch
        try:
            value = value.item()
        except Exception:
            return {"refused": f"a {kind} that is not a single number"}
    if isinstance(value, float) and not math.isfinite(value):
        return {"refused": f"not finite ({value})"}
    if isinstance(value, str) and len(value) > 1000:
        return {"refused": f"a text of {len(value):,} characters"}
    if isinstance(value, str) and value != value.encode(errors="ignore").decode():
        return {"refused": "a text that is not valid Unicode"}
    if isinstance(value, int) and abs(value) >= 10**300:
        return {"refused": "an int of more than 300 digits"}
    if isinstance(value, bool | int | float | str):
        return {"value": value}
    return {"refused": f"a {kind}"}
