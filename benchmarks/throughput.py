"""How fast the character models train and write, on one core: `make benchmark` prints it.

Each is measured on the same text, in turns, so that a machine whose speed drifts drifts for all:

- the barest loop around `torch.nn.LSTM`: forward, loss, backward, one step of the optimizer;
- `snippets/char_rnn.py` as it is, at the same sizes;
- `snippets/min_char_rnn.py`, the network in numpy, at its own sizes.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from readinglist.sources.snippet import definitions

ROUNDS = 7
LEAST_SHARE = 0.9  # of the barest loop's throughput
LEAST_WRITTEN = 2000  # characters a second


def bare_loop(inputs: torch.Tensor, targets: torch.Tensor, V: int, T: int) -> Callable[[int], None]:
    """The least that trains an LSTM of 256 units on rows (N, B), with the state carried over."""
    torch.manual_seed(0)
    embedding, lstm, decoder = nn.Embedding(V, 64), nn.LSTM(64, 256), nn.Linear(256, V)
    weights = [*embedding.parameters(), *lstm.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, fused=True)

    def train(steps: int) -> None:
        state = None
        for at in range(0, steps * T, T):
            hidden, state = lstm(embedding(inputs[at : at + T]), state)
            loss = cross_entropy(decoder(hidden).flatten(0, 1), targets[at : at + T].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            state = tuple(s.detach() for s in state)

    return train


def char_rnn_loop(program: SimpleNamespace, text: str) -> tuple[Callable[[int], None], object]:
    """Training as `char_rnn.py` does it, without a look at the held-out text."""
    training = program.Training(text, program.Options(validate_every=10**9))

    def train(steps: int) -> None:
        end = training.done + steps
        training.run(stopped=lambda: training.done >= end)

    return train, training


def numpy_loop(program: SimpleNamespace, indices: np.ndarray, V: int) -> Callable[[int], None]:
    """Training as `min_char_rnn.py` does it."""
    parameters = program.init_parameters(np.random.default_rng(0), V, 100)
    training = program.train(parameters, indices)
    return lambda steps: [next(training) for _ in range(steps)]


def speeds(loops: dict[str, tuple[Callable[[int], None], int, int]]) -> dict[str, list[float]]:
    """Characters a second of each loop, a figure a round; a loop has its steps and their size."""
    measured: dict[str, list[float]] = {name: [] for name in loops}
    for train, steps, _ in loops.values():
        train(steps)  # once to warm up
    for _ in range(ROUNDS):
        for name, (train, steps, characters) in loops.items():
            start = time.perf_counter()
            train(steps)
            measured[name].append(steps * characters / (time.perf_counter() - start))
    return measured


def writing_speed(program: SimpleNamespace, model: nn.Module, vocabulary: str) -> list[float]:
    """Characters a second that the model writes, a figure a round."""
    model.eval()
    measured = []
    for seed in range(ROUNDS):
        start = time.perf_counter()
        program.sample(model, vocabulary, length=1000, seed=seed)
        measured.append(1000 / (time.perf_counter() - start))
    return measured


def main() -> int:
    """Measures, prints, and fails if one of the two limits is missed."""
    torch.set_num_threads(1)
    program, numpy_program = (
        definitions(ROOT / "snippets" / f"{name}.py") for name in ("char_rnn", "min_char_rnn")
    )
    text = program.shakespeare()
    ours, training = char_rnn_loop(program, text)
    options, V = training.options, len(training.vocabulary)
    T, B = options.sequence_length, options.batch_size
    bare = bare_loop(training.inputs, training.targets, V, T)
    indices = program.encode(text, training.vocabulary).numpy()
    measured = speeds(
        {
            "torch.nn.LSTM, bare": (bare, 60, T * B),
            "char_rnn": (ours, 60, T * B),
            "min_char_rnn": (numpy_loop(numpy_program, indices, V), 400, 25),
        }
    )
    pairs = zip(measured["char_rnn"], measured["torch.nn.LSTM, bare"], strict=True)
    share = statistics.median(one / other for one, other in pairs)
    written = statistics.median(writing_speed(program, training.model, training.vocabulary))
    print(f"training, characters a second, median of {ROUNDS} rounds in turns:")
    for name, figures in measured.items():
        low, middle, high = min(figures), statistics.median(figures), max(figures)
        print(f"  {name:22} {middle:9,.0f}   ({low:,.0f} to {high:,.0f})")
    print(f"char_rnn / bare, pair by pair: {share:.3f} (at least {LEAST_SHARE})")
    print(f"writing with 1 x 256: {written:,.0f} characters a second (at least {LEAST_WRITTEN:,})")
    return 0 if share >= LEAST_SHARE and written >= LEAST_WRITTEN else 1


if __name__ == "__main__":
    sys.exit(main())
