"""What the kernel runs before a snippet's first cell and after its last.

The text of this file is executed there, in a namespace of its own: a snippet may call a variable
`type`, and the project cannot be imported where a snippet runs.
"""

import math
import os
import traceback
import warnings
from typing import Any

DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
# What these do themselves is no matter of the snippet's.
MACHINERY = {"IPython", "ipykernel", "traitlets", "matplotlib_inline", "comm", "zmq", "tornado"}


def keep_warnings(shell: Any) -> None:
    """Keeps every warning, and shows those that are not about a deprecation, as Python does."""
    shell.kept_warnings = []
    show = warnings.showwarning

    def keep(message: Any, category: type, filename: str, *args: Any, **kwargs: Any) -> None:
        deprecated = issubclass(category, DEPRECATIONS)
        warning = {
            "category": category.__name__,
            "message": str(message)[:500],
            "deprecated": deprecated,
            "cell": len(shell.history_manager.input_hist_parsed) - 1,
            "line": _line_in_cell(shell),
        }
        if warning["line"] and not MACHINERY.intersection(filename.split(os.sep)):
            shell.kept_warnings.append(warning)
        if not deprecated:
            show(message, category, filename, *args, **kwargs)

    for category in DEPRECATIONS:
        warnings.simplefilter("default", category)
    warnings.showwarning = keep


def _line_in_cell(shell: Any) -> int:
    """The line of the cell that is being executed, or 0 if none is."""
    lines = [
        line
        for frame, line in traceback.walk_stack(None)
        if frame.f_globals is shell.user_ns and frame.f_code.co_name == "<module>"
    ]
    return lines[-1] if lines else 0


def publish(shell: Any, cells: list[str]) -> None:
    """Shows, as an output of its own kind, what a page may quote and what was warned of.

    A warning has the number of the cell that led to it, and gets the cell's name.
    """
    # These first: what the description of a value warns of is no matter of the snippet's.
    named = [{**warning, "cell": cells[warning["cell"] - 1]} for warning in shell.kept_warnings]
    values = {
        name: _described(value)
        for name, value in shell.user_ns.copy().items()
        if not name.startswith("_") and name not in shell.user_ns_hidden
    }
    shell.display_pub.publish({"application/json": {"values": values, "warnings": named}})


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
