# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "rapidfuzz>=3.0", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "CTC"
# ///

# %% [markdown]
# # CTC: the sum over every alignment
#
# Connectionist temporal classification, by Graves, Fernández, Gomez and Schmidhuber (2006). With it
# Graves, Mohamed and Hinton (2013) train a network on sounds and what was said, without a word on
# when. In each frame the network names a label or a blank, "nothing new".

# %% imports
import math
from itertools import pairwise, product

import matplotlib.pyplot as plt
import torch
from rapidfuzz.distance import Levenshtein
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
# Axis letters: T time (frames), U labels, V symbols with the blank, S states of the lattice.
BLANK = 0  # as in torch; the papers put it last

# %% [markdown]
# ## What an alignment stands for
#
# An alignment has a symbol for each frame. First merge what repeats, then drop the blanks. So `a`
# may be held for several frames. For a double letter, a blank has to lie between the two.


# %% collapse
def collapse(alignment):
    """Return the labels that an alignment stands for: repeats merged, then blanks dropped."""
    first = alignment[:1]
    changed = [symbol for before, symbol in pairwise(alignment) if symbol != before]
    return [symbol for symbol in (*first, *changed) if symbol != BLANK]


def least_frames(labels):
    """Return the frames that labels need: one each, and a blank between equal neighbours."""
    return len(labels) + sum(a == b for a, b in pairwise(labels))


def alignments(labels, T, V):
    """Return every alignment of T frames and V symbols that stands for the labels."""
    return [path for path in product(range(V), repeat=T) if collapse(path) == list(labels)]


# %% [markdown]
# How many alignments of six frames does a target have? Three labels and the blank give 4⁶ = 4,096
# to look through. Compare the first two lines, and the last two.

# %% count_alignments tags=["demo"]
T, V = 6, 4
targets = [(1, 2), (1, 1), (1, 2, 3), (1, 1, 1), (1, 1, 1, 1)]
counts = {labels: len(alignments(labels, T, V)) for labels in targets}
for labels, count in counts.items():
    print(f"{count:3} alignments of {labels}, which needs {least_frames(labels)} frames")
assert list(counts.values()) == [70, 35, 84, 7, 0]
for labels in [(1, 2), (1, 2, 3)]:  # without repeats
    assert counts[labels] == math.comb(T + len(labels), 2 * len(labels))
frames_for_hello = least_frames("hello")
assert frames_for_hello == 6

# %% [markdown]
# A repeat costs a frame, and so alignments. Four times the same label does not fit: it takes seven.
#
# ## The recursion
#
# Put blanks around and between the labels: a blank, b, blank for `a b` become five states. An
# alignment begins in one of the first two and ends in one of the last two. In each frame it stays
# or goes one state on. It may jump over a blank, but not between two equal labels: then the blank
# has to be heard.
#
# All alignments that are in state s at frame t have a common sum, `a[s]`. The sums of the next
# frame follow from it.


# %% ctc_loss
def lattice(labels):
    """Return the symbol of each state, (S,), and whether a jump to it may leave one out, (S,)."""
    symbols = torch.zeros(2 * len(labels) + 1, dtype=torch.long)  # every other one a blank
    symbols[1::2] = torch.tensor(labels, dtype=torch.long)
    may_jump = torch.zeros(len(symbols), dtype=torch.bool)
    may_jump[2:] = (symbols[2:] != BLANK) & (symbols[2:] != symbols[:-2])
    return symbols, may_jump


def log_sum(ways):
    """Return log Σ exp over the first axis; where no way is open, -inf with a slope of zero."""
    closed = (ways == -math.inf).all(0)
    return ways.masked_fill(closed, 0.0).logsumexp(0).masked_fill(closed, -math.inf)


def forward(emitted, may_jump):
    """Return the log-sum over all ways through the lattice, in nats.

    `emitted` (T, S) is the log-probability of each state's symbol in each frame.
    """
    never = emitted.new_full((len(may_jump) + 2,), -math.inf)
    a = torch.cat([emitted[0, :2], never])[: len(may_jump)]  # (S,)
    for frame in emitted[1:]:
        before = torch.cat([never[:2], a])  # (S + 2,)
        jump = before[:-2].masked_fill(~may_jump, -math.inf)
        a = frame + log_sum(torch.stack([a, before[1:-1], jump]))
    return log_sum(a[-2:])


def ctc_loss(log_probabilities, labels):
    """Return minus the log-probability of the labels, in nats.

    `log_probabilities` (T, V) are those of each symbol in each frame. The loss is infinite if the
    labels do not fit into T frames. Raises ValueError for a blank or an unknown symbol as a label.
    """
    V = log_probabilities.shape[1]
    if wrong := [label for label in labels if not 0 < label < V]:
        raise ValueError(f"labels {wrong} are not from 1 to {V - 1}")
    symbols, may_jump = lattice(labels)
    return -forward(log_probabilities[:, symbols], may_jump)


# %% [markdown]
# The recursion has to give what the list gives, and what torch gives, in double precision. So have
# the slopes with respect to the network's outputs.

# %% equal_to_the_list_and_to_torch tags=["demo"]
generator = torch.Generator().manual_seed(0)
outputs = torch.randn(T, V, dtype=torch.double, generator=generator, requires_grad=True)
log_probabilities = outputs.log_softmax(-1)


def by_the_list(labels):
    """Return the loss as the sum over every alignment."""
    paths = torch.tensor(alignments(labels, T, V))  # (number of alignments, T)
    return -log_probabilities[torch.arange(T), paths].sum(1).logsumexp(0)


def by_torch(labels):
    """Return the loss as torch computes it."""
    lengths = torch.tensor([T]), torch.tensor([len(labels)])
    target = torch.tensor([labels])
    return F.ctc_loss(log_probabilities[:, None], target, *lengths, reduction="sum")


largest_difference = largest_slope_difference = 0.0
for labels in targets[:4]:
    losses = [f(labels) for f in (by_the_list, by_torch)]
    losses.append(ctc_loss(log_probabilities, labels))
    slopes = [torch.autograd.grad(loss, outputs, retain_graph=True)[0] for loss in losses]
    largest_difference = max(largest_difference, *(abs(losses[2] - x).item() for x in losses))
    difference = max((slopes[2] - x).abs().max().item() for x in slopes)
    largest_slope_difference = max(largest_slope_difference, difference)
    print(f"{losses[2].item():.12f} nats for {labels}")
print(f"difference at most {largest_difference:.0e}, of slopes {largest_slope_difference:.0e}")
assert largest_difference < 1e-9, largest_difference
assert largest_slope_difference < 1e-9, largest_slope_difference
too_long = targets[4]
assert ctc_loss(log_probabilities, too_long) == by_torch(too_long) == math.inf

# %% [markdown]
# What does not fit has an infinite loss, in torch too. (`zero_infinity=True` passes over it.) And
# mind torch's default: `reduction="mean"` divides each loss by the length of its target first.

# %% mean_divides_by_length tags=["demo"]
labels = (1, 2, 3)
lengths = torch.tensor([T]), torch.tensor([len(labels)])
mean = F.ctc_loss(log_probabilities[:, None], torch.tensor([labels]), *lengths)
assert torch.isclose(mean, by_torch(labels) / len(labels))
print(f"sum {by_torch(labels).item():.4f}, mean {mean.item():.4f}")

# %% [markdown]
# Each alignment stands for one target. So the probabilities of all targets, the empty one too, add
# up to one.

# %% all_labellings_sum_to_one tags=["demo"]
labellings = {tuple(collapse(path)) for path in product(range(V), repeat=T)}
with torch.no_grad():
    total = sum(math.exp(-ctc_loss(log_probabilities, labels)) for labels in labellings)
number_of_labellings = len(labellings)
print(f"{number_of_labellings} labellings, together {total:.12f}")
assert number_of_labellings == 358
assert abs(total - 1) < 1e-9

# %% [markdown]
# ## Where the alignments are
#
# The slope of the log-sum with respect to what a state emits in a frame is the share of the
# alignments that are in this state then. Here is a network that says nothing: twelve frames, each
# symbol equally probable, the target `1 2`. Where are the alignments?

# %% occupation tags=["demo"] alt="Five states over twelve frames, larger dots for larger shares. The dots begin in the two lowest states and end in the two highest. In between they lie in a broad band from the lower left to the upper right."
symbols, may_jump = lattice((1, 2))
emitted = torch.full((12, 5), -math.log(V), dtype=torch.double, requires_grad=True)
forward(emitted, may_jump).backward()
share = emitted.grad  # (T, S)
for state, symbol in enumerate(symbols.tolist()):
    colour = "C6" if symbol else "C7"
    plt.scatter(range(12), [state] * 12, s=160 * share[:, state], color=colour)
plt.yticks(range(5), ["blank", "1", "blank", "2", "blank"])
plt.xticks(range(0, 12, 2))
plt.xlabel("frame")
plt.show()
assert (share.sum(1) - 1).abs().max() < 1e-9  # it is somewhere in each frame
assert (share[:, 1::2].sum(0) >= 1).all()  # each label has at least one frame
broad = (share.max(1).values < 0.6)[2:-2]
assert broad.all(), share

# %% [markdown]
# Everywhere on a broad band. Training sharpens it: where a label is a little more probable, the
# share grows, and so does the gradient for it.
#
# ## The plateau
#
# A small world of phones: six templates of twelve numbers, two to five frames each, up to two
# frames of nothing between, noise over all. A bidirectional LSTM learns to write three to six of
# them. Watch three things: the loss, the errors on new sequences and the share of blanks.


# %% network
class Network(nn.Module):
    """A bidirectional LSTM that scores symbols in each frame, (T, B, 12) to (T, B, 7)."""

    def __init__(self, hidden_size=24):
        super().__init__()
        self.lstm = nn.LSTM(12, hidden_size, bidirectional=True)
        self.decoder = nn.Linear(2 * hidden_size, 7)

    def forward(self, x):
        return self.decoder(self.lstm(x)[0]).log_softmax(-1)


def sequences(count, templates, generator):
    """Return sounds (T, count, 12), which end in noise alone, and a list of their labels."""

    def draw(least, most):
        return torch.randint(least, most + 1, (), generator=generator).item()

    sounds, targets = [], []
    for _ in range(count):
        labels = [draw(1, 6) for _ in range(draw(3, 6))]
        parts = []
        for label in labels:
            parts += [templates[label - 1].expand(draw(2, 5), 12), torch.zeros(draw(0, 2), 12)]
        sounds.append(torch.cat(parts))
        targets.append(labels)
    x = nn.utils.rnn.pad_sequence(sounds)
    return x + torch.randn(x.shape, generator=generator), targets


# %% error_rate
def error_rate(hypotheses, references):
    """Return the edits over the length of the references, both summed over all sequences."""
    pairs = list(zip(hypotheses, references, strict=True))
    edits = sum(Levenshtein.distance(hypothesis, reference) for hypothesis, reference in pairs)
    return edits / sum(len(reference) for _, reference in pairs)


def best_path(log_probabilities):
    """Return the labels that the most probable symbols (T, B, V) of all frames stand for."""
    return [collapse(path) for path in log_probabilities.argmax(-1).T.tolist()]


# %% plateau tags=["demo"] alt="Errors and share of blanks over 350 steps. The errors begin far above 100 percent and lie at 100 percent while the share of blanks, dashed, is near one. Then the blanks become fewer and the errors fall to about a tenth. In the panel below, the loss falls from the first step on."
generator = torch.Generator().manual_seed(1)
torch.manual_seed(1)
templates, model = torch.randn(6, 12, generator=generator), Network()
new_x, new_targets = sequences(100, templates, generator)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
curve = []  # step, loss in nats a label, error rate, share of blanks
for step in range(351):
    if step % 5 == 0:
        with torch.inference_mode():
            scores = model(new_x)
        rate = error_rate(best_path(scores), new_targets)
        blanks = (scores.argmax(-1) == BLANK).double().mean().item()
    x, batch = sequences(16, templates, generator)
    lengths = torch.tensor([len(labels) for labels in batch])
    flat = torch.tensor([label for labels in batch for label in labels])
    loss = F.ctc_loss(model(x), flat, torch.full((16,), len(x)), lengths)
    if step % 5 == 0:
        curve.append((step, loss.item(), rate, blanks))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

steps, losses, rates, blanks = zip(*curve, strict=True)
figure, (above, below) = plt.subplots(
    2, sharex=True, figsize=(5.2, 4), gridspec_kw={"height_ratios": [2, 1]}
)
above.plot(steps, rates, color="C1")
above.plot(steps, blanks, "--", color="C7")
above.text(steps[-1], rates[-1] + 0.04, "errors", color="C1", ha="right")
above.text(steps[-1], blanks[-1] + 0.04, "blanks", color="C7", ha="right")
above.set_ylabel("share")
below.plot(steps, losses, color="C0")
below.set(xlabel="step", ylabel="loss (nats)")
plt.show()

first_rate, last_rate = rates[0], rates[-1]
plateau = [step for step, _, rate, blank in curve if 0.9 <= rate <= 1.01 and blank > 0.9]
plateau_begin, plateau_end = plateau[0], plateau[-1]
loss_at = {step: loss for step, loss, _, _ in curve}
loss_before, loss_after = loss_at[0], loss_at[plateau_end]
print(f"errors {first_rate:.0%} at first, {last_rate:.0%} after step {steps[-1]}")
print(f"nearly all blank from step {plateau_begin} to {plateau_end}")
print(f"loss {loss_before:.2f} at first, {loss_after:.2f} at the end of that")
assert first_rate > 1, first_rate
assert len(plateau) >= 3, curve
assert loss_after < loss_before / 2, (loss_before, loss_after)
assert last_rate <= 0.2, last_rate

# %% [markdown]
# This untrained network writes labels nearly everywhere. Labels too many are errors too, so the
# rate lies above 100%. (Another seed may begin with blanks.) Soon it writes nothing: every label
# is missing, and the rate is 100%. That is no fault. Blanks are right in most frames, and are the
# first thing to learn. The loss falls all the while, because the labels become more probable
# without ever being the most probable.
