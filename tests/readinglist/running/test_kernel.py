"""One snippet in its process: what ends it, what is said then, its values and its surroundings.

A kernel takes a second to start, so all snippets of this file run in two batches.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from readinglist.faults import Faults
from readinglist.running import kernel as kernel_module
from readinglist.running.kernel import Limits, kernel_environment
from readinglist.running.runner import Runner
from readinglist.running.store import Cache

FIRST = 13  # the line of the first code cell's marker
SLEEP = ["sleep", f"4000.{os.getpid()}"]  # told from that of another run of these tests
FAILING = {
    "raises": ["# %% a\n\n\ndef f(x):\n    return 1 / x", '# %% b tags=["demo"]\n\n\nx = 0\nf(x)'],
    "asserts": ["# %% a\nerror = 0.25\nassert error < 0.1, error"],
    "asserts_plainly": ["# %% a\nassert [] == [1]"],
    "exits": ["# %% a\n1", "# %% b\nimport os\n\nos._exit(3)"],
    "is_killed": ["# %% a\nimport os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)"],
    "crashes": ["# %% a\nimport os, signal\n\nos.kill(os.getpid(), signal.SIGSEGV)"],
    "prints_at_once": ['# %% a\nprint("x" * 50_000_000)', "# %% b\n1", "# %% [markdown]\n# End."],
    "prints_on_and_on": ["# %% a\n1", '# %% b\nwhile True:\n    print("x" * 10_000)'],
    "raises_much": ["# %% a\nraise ValueError('x' * 5_000_000)"],
    "leaves": ["# %% a\nimport sys\n\nsys.exit('enough')"],
    "leaves_a_child": [f"# %% a\nimport os, subprocess\n\nsubprocess.Popen({SLEEP})\nos._exit(0)"],
}
LOOP = "while True:\n    pass"
ENDLESS = {
    "loops": [f"# %% a\n{LOOP}"],
    "loops_deaf": [
        "# %% a\n1",
        "# %% b\nimport signal\n\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{LOOP}",
    ],
}
VALUES = """# %% a
import math

import numpy
import torch

whole, real, flag, name = 3, 0.5, True, "σ <b>"
of_numpy, of_torch = numpy.float64(0.25), torch.tensor(7)
one_element, one_in_lists = torch.tensor([1.5], requires_grad=True), numpy.array([[2]])
numpy_flag = numpy.bool_(False)
two, none, a_list, module = torch.ones(2), None, [1], math
not_a_number, infinite, torch_nan = math.nan, -math.inf, torch.tensor(math.nan)
long, huge, lone = "x" * 2_000_000, 10**400, "\\ud800"
_hidden = 1


class Odd:
    def item(self):
        raise KeyError("x")


odd = Odd()
type = isinstance = callable = print = dict = globals = "taken"
"""
SURROUNDINGS = """# %% a
import json, os, sys
from pathlib import Path

here = sorted(os.listdir())
Path("surroundings.json").write_text(json.dumps({
    "folder": os.getcwd(), "here": here, "path": sys.path, "python": sys.executable,
    "environment": dict(os.environ), "secret": str(globals().get("secret")),
}))
"""
HOSTILE = ("PYTHONPATH", "PYTHONSTARTUP", "MPLBACKEND", "JUPYTER_PATH", "IPYTHONDIR")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Settings of the person who builds, none of which may reach a snippet."""
    folder = tmp_path_factory.mktemp("hostile")
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "secret.py").write_text("secret = 'leaked'")
    # `python -m ipykernel install --user` in another environment leaves such a file.
    kernels = folder / "kernels" / "python3"
    kernels.mkdir(parents=True)
    spec = '{"argv": ["/bin/false"], "display_name": "x", "language": "python"}'
    (kernels / "kernel.json").write_text(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name in HOSTILE:
            patch.setenv(name, str(folder))
        yield folder


@pytest.fixture(scope="module")
def batch(tmp_path_factory, snippet_in, hostile):
    """Everything but the endless ones: the messages by snippet, and the runner."""
    folder = tmp_path_factory.mktemp("batch")
    snippets = {name: snippet_in(folder, name, *cells) for name, cells in FAILING.items()}
    values = snippet_in(folder, "values", VALUES, dependencies=("numpy", "torch"))
    surroundings = snippet_in(folder, "surroundings", SURROUNDINGS)
    runner = Runner(Cache(folder / "cache"))
    with pytest.raises(Faults) as caught:
        runner.run([*snippets.values(), values, surroundings])
    said = {fault.path.stem: f"{fault.line}: {fault.message}" for fault in caught.value.faults}
    return said, runner, values, surroundings


@pytest.fixture(scope="module")
def said(batch):
    """What was said of each failing snippet: `line: message`."""
    return batch[0]


@pytest.fixture(scope="module")
def values(batch):
    """What a page may quote of the snippet `values`."""
    return batch[1].stored(batch[2]).values


def kernels() -> list[psutil.Process]:
    """The processes that this one has started, and theirs."""
    return psutil.Process().children(recursive=True)


def test_every_failing_snippet_is_reported_and_the_others_are_stored(batch):
    said, runner, *good = batch
    assert set(said) == set(FAILING)
    assert all(runner.stored(snippet) for snippet in good)
    stored = {path.parts[-3] for path in runner.cache.folder.glob("*/*/run.json")}
    assert stored == {snippet.name for snippet in good}


def test_an_exception_names_the_line_in_the_file(said):
    line = FIRST + 6 + 4
    assert (
        said["raises"] == f"{line}: cell 'b' raised ZeroDivisionError: division by zero\n    f(x)"
    )


def test_an_assertion_that_fails_shows_what_was_found(said):
    assert said["asserts"] == (
        f"{FIRST + 2}: cell 'a' raised AssertionError: 0.25\n    assert error < 0.1, error"
    )
    assert said["asserts_plainly"] == (
        f"{FIRST + 1}: cell 'a' raised AssertionError\n    assert [] == [1]"
    )


def test_a_long_exception_is_cut(said):
    assert said["raises_much"].startswith(f"{FIRST + 1}: cell 'a' raised ValueError: xxx")
    assert "xxx…\n    raise ValueError('x' * 5_000_000)" in said["raises_much"]
    assert len(said["raises_much"]) < 700


def test_a_snippet_may_not_leave(said):
    assert said["leaves"] == f"{FIRST}: cell 'a' raised SystemExit: enough"


def test_a_process_that_ends_itself(said):
    assert said["exits"] == (
        f"{FIRST + 3}: cell 'b' ended its process with exit status 3, as os._exit does; "
        "run 'python snippets/exits.py' by itself to see more"
    )


def test_a_process_that_is_killed(said):
    assert said["is_killed"] == (
        f"{FIRST}: cell 'a' was killed by SIGKILL, as happens when memory runs out; "
        "run 'python snippets/is_killed.py' by itself to see more"
    )


def test_a_process_that_crashes(said):
    assert said["crashes"] == (
        f"{FIRST}: cell 'a' crashed with SIGSEGV, most likely in compiled code; "
        "run 'python snippets/crashes.py' by itself to see more"
    )


def test_too_much_output_names_the_cell_that_printed_it(said):
    limit = "printed and showed more than 1,000,000 characters, all that a snippet may; print less"
    assert said["prints_at_once"] == f"{FIRST}: cell 'a' {limit}"
    assert said["prints_on_and_on"] == f"{FIRST + 3}: cell 'b' {limit}"


def test_no_process_is_left(batch):
    assert kernels() == []
    everything = (process.info["cmdline"] for process in psutil.process_iter(["cmdline"]))
    assert SLEEP not in list(everything)


def test_a_snippet_that_never_ends_is_stopped_even_if_deaf(tmp_path, snippet_in):
    snippets = [snippet_in(tmp_path, name, *cells) for name, cells in ENDLESS.items()]
    runner = Runner(Cache(tmp_path / "cache"), limits=Limits(seconds=2))
    start = time.monotonic()
    with pytest.raises(Faults) as caught:
        runner.run(snippets)
    assert time.monotonic() - start < 40
    over = "was still running when the snippet's 2 s were over; make it do less, "
    over += "or look for a loop that never ends"
    assert [f"{fault.line}: {fault.message}" for fault in caught.value.faults] == [
        f"{FIRST}: cell 'a' {over}",
        f"{FIRST + 3}: cell 'b' {over}",
    ]
    assert kernels() == []
    tasks = [one for one in gc.get_objects() if isinstance(one, asyncio.Task)]
    assert [task for task in tasks if not task.done()] == []


def test_a_run_that_is_stopped_while_it_starts_ends_at_once(tmp_path, snippet_in):
    snippet = snippet_in(tmp_path, "loops", *ENDLESS["loops"])
    runner = Runner(Cache(tmp_path / "cache"), limits=Limits(seconds=300))
    runner.stop()
    start = time.monotonic()
    with pytest.raises(Faults):
        runner.run_one(snippet)
    assert time.monotonic() - start < 40
    assert kernels() == []


def test_a_kernel_that_does_not_start_says_why(tmp_path, snippet_in, monkeypatch):
    monkeypatch.setattr(kernel_module, "kernel_environment", lambda *_: {"PYTHONHOME": "/nowhere"})
    with pytest.raises(Faults) as caught:
        Runner(Cache(tmp_path / "cache")).run([snippet_in(tmp_path, "thing", "# %% a\n1")])
    assert str(caught.value) == (
        f"{tmp_path}/thing.py:1: the kernel did not start: ModuleNotFoundError: No module named "
        "'encodings'; make clean, then make build, sets it up anew"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", 3),
        ("real", 0.5),
        ("flag", True),
        ("name", "σ <b>"),
        ("of_numpy", 0.25),
        ("of_torch", 7),
        ("one_element", 1.5),
        ("one_in_lists", 2),
        ("numpy_flag", False),
    ],
)
def test_a_number_or_a_text_can_be_quoted(values, name, value):
    assert values[name] == {"value": value}
    assert type(values[name]["value"]) is type(value)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("two", "a Tensor that is not a single number"),
        ("odd", "a Odd that is not a single number"),
        ("none", "a NoneType"),
        ("a_list", "a list"),
        ("module", "a module"),
        ("not_a_number", "not finite (nan)"),
        ("infinite", "not finite (-inf)"),
        ("torch_nan", "not finite (nan)"),
        ("long", "a text of 2,000,000 characters"),
        ("huge", "an int of more than 300 digits"),
        ("lone", "a text that is not valid Unicode"),
    ],
)
def test_anything_else_is_refused_with_a_reason(values, name, why):
    assert values[name] == {"refused": why}


def test_names_that_a_snippet_did_not_choose_are_not_collected(values):
    assert not {"In", "Out", "exit", "get_ipython", "_hidden", "shell", "describe"} & set(values)
    assert values["type"] == {"value": "taken"}


def test_a_snippet_sees_nothing_of_the_project_or_the_person(batch, hostile, root):
    _, runner, _, snippet = batch
    written = runner.stored(snippet).files["surroundings.json"].read_text()
    seen = json.loads(written)
    assert seen["here"] == []
    assert not Path(seen["folder"]).is_relative_to(root)
    assert not Path(seen["folder"]).exists()
    assert seen["python"] == sys.executable
    assert seen["secret"] == "None"
    assert not [path for path in seen["path"] if path in (str(root), str(hostile))]
    leaked = {name: seen["environment"].get(name) for name in HOSTILE}
    assert str(hostile) not in leaked.values()
    assert {name: seen["environment"][name] for name in ("PYTHONHASHSEED", "OMP_NUM_THREADS")} == {
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
    }


def test_the_environment_keeps_the_rest(tmp_path, monkeypatch):
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    environment = kernel_environment(tmp_path, tmp_path / "style")
    assert (environment["LANG"], environment["PATH"]) == ("C.UTF-8", os.environ["PATH"])
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["MATPLOTLIBRC"] == str(tmp_path / "style")
