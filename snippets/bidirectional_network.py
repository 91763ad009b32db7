# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "bidirectional networks"
# ///

# %% [markdown]
# # Two directions: a label that depends on what comes next
#
# The levels (torch: layers) of Graves, Mohamed and Hinton, "Speech Recognition with Deep Recurrent
# Neural Networks" (2013), read the sound from both ends. What is that worth? And when does it have
# a cheaper substitute?

# %% imports
import random

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

torch.set_num_threads(1)
# Axis letters: B batch, T time (frames), D features, H hidden, K classes.

# %% [markdown]
# ## What torch does
#
# One pass reads the frames in their order, another one backwards, with weights of its own. The
# second result is turned round, and both are put side by side. So a frame has 2 H numbers: H from
# its past, and H from its future. The next level reads all of them, in both directions.


# %% by_hand
def one_direction(lstm, level, suffix, x):
    """Return what one direction of one level of `lstm` makes of x (T, B, D), (T, B, H)."""
    single = nn.LSTM(x.shape[2], lstm.hidden_size, dtype=x.dtype)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = {f"{name}_l0": getattr(lstm, f"{name}_l{level}{suffix}") for name in names}
    single.load_state_dict(weights)
    return single(x)[0]


def by_hand(lstm, x):
    """Return the output (T, B, 2 H) of a bidirectional LSTM for x (T, B, D), pass by pass."""
    for level in range(lstm.num_layers):
        forwards = one_direction(lstm, level, "", x)
        backwards = one_direction(lstm, level, "_reverse", x.flip(0)).flip(0)
        x = torch.cat([forwards, backwards], dim=2)
    return x


# %% equals_torch tags=["demo"]
torch.manual_seed(0)
lstm = nn.LSTM(5, 4, num_layers=3, bidirectional=True)
x = torch.randn(9, 2, 5)
with torch.no_grad():
    error = (by_hand(lstm, x) - lstm(x)[0]).abs().max().item()
print(f"largest difference {error:.0e}")
print("weights of level 2 from its input:", tuple(lstm.weight_ih_l1.shape))
assert error < 1e-6, error
assert lstm.weight_ih_l1.shape == (4 * 4, 2 * 4)

# %% [markdown]
# ## Padding is not silence
#
# In a batch the shorter sequences are padded. The backward pass begins at the end. If it begins in
# the padding, its state is no longer zero when it comes to the last frame. A packed sequence tells
# torch where each one ends.

# %% padding tags=["demo"]
short, long = torch.randn(5, 5), torch.randn(9, 5)
lengths = torch.tensor([5, 9])
padded = pad_sequence([short, long])  # (T, B, D)
packed = pack_padded_sequence(padded, lengths, enforce_sorted=False)
with torch.no_grad():
    alone = lstm(short[:, None])[0][:, 0]
    in_padding = lstm(padded)[0][:5, 0]
    in_packed = pad_packed_sequence(lstm(packed)[0])[0][:5, 0]
change_padded = (in_padding - alone).abs().max().item()
change_packed = (in_packed - alone).abs().max().item()
print(f"change by the other sequence: {change_padded:.3f} padded, {change_packed:.0e} packed")
assert change_padded > 0.01, change_padded
assert change_packed < 1e-6, change_packed

# %% [markdown]
# ## A task for the future
#
# Segments of two to five frames follow each other. Each shows one of four templates, in noise. The
# label of a frame is the class of the *next* segment. The next one is drawn freely: nothing so far
# says what it will be. So whoever hears the past alone is right in one case of four, and no
# training changes that.


# %% segments
K, D = 4, 8


def segments(count, templates, chance, length=40):
    """Return frames (T, count, D) and labels (T, count): the class of the next segment.

    `chance` is a random.Random; `templates` (K, D) are what the classes look like.
    Frames of the last segment, which has no next one, have the label -100, which losses leave out.
    """
    x, y = torch.empty(length, count, D), torch.full((length, count), -100)
    for b in range(count):
        start = before = 0
        while start < length:
            size, kind = chance.randint(2, 5), chance.randrange(K)
            y[before:start, b] = kind
            x[start : start + size, b] = templates[kind]
            before, start = start, start + size
    return x + 0.5 * torch.randn(x.shape), y


# %% [markdown]
# A network of one direction may be given time: its answer to frame t is taken `delay` frames later,
# when it has heard some of the future. That is what a recogniser does that runs along with the
# sound.


# %% tagger
class Tagger(nn.Module):
    """Score the K classes for each frame: (T, B, D) to (T - delay, B, K)."""

    def __init__(self, hidden_size, bidirectional=False, delay=0):
        super().__init__()
        self.delay = delay
        self.lstm = nn.LSTM(D, hidden_size, bidirectional=bidirectional)
        self.decoder = nn.Linear(hidden_size * (1 + bidirectional), K)

    def forward(self, x):
        return self.decoder(self.lstm(x)[0])[self.delay :]


def accuracy(model, x, y):
    """Return the share of the labelled frames that the model names correctly."""
    with torch.inference_mode():
        best = model(x).argmax(2)
    y = y[: len(best)]
    return (best == y)[y >= 0].double().mean().item()


def trained(model, templates, chance, steps=150):
    """Return the model after so many Adam steps on batches of 16 sequences."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        x, y = segments(16, templates, chance)
        scores = model(x)  # (T - delay, B, K)
        loss = cross_entropy(scores.flatten(0, 1), y[: len(scores)].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


# %% [markdown]
# Two networks of about the same number of weights, three seeds each.

# %% one_direction_or_two tags=["demo"]
rates = {"past": [], "both": []}
print("past    both    seed")
for seed in range(3):
    torch.manual_seed(seed)
    chance, templates = random.Random(seed), torch.randn(K, D)
    test = segments(200, templates, chance)
    models = {"past": Tagger(36), "both": Tagger(24, bidirectional=True)}
    for name, model in models.items():
        rates[name].append(accuracy(trained(model, templates, chance), *test))
    print(f"{rates['past'][-1]:5.1%}  {rates['both'][-1]:5.1%}  {seed:4}")
weights = {n: sum(w.numel() for w in m.parameters()) for n, m in models.items()}
weights_past, weights_both = weights.values()
print(f"{weights_past:,} weights and {weights_both:,}")
best_past, worst_both = max(rates["past"]), min(rates["both"])
assert 0.97 < weights_past / weights_both < 1.03, weights
assert all(abs(rate - 1 / K) < 0.04 for rate in rates["past"]), rates
assert worst_both > 0.85, rates

# %% [markdown]
# ## The same by waiting
#
# How long does one direction have to wait? A segment has at most five frames. So after five more
# frames the next one has begun.

# %% accuracy_by_delay tags=["demo"] alt="Accuracy over delays of 0 to 6 frames. One direction rises from one quarter without a delay to nearly 0.9 at four frames, and stays there, a little below the dashed line of both directions."
DELAYS = (0, 1, 2, 3, 4, 5, 6)
by_delay = [rates["past"][0]]
for delay in DELAYS[1:]:
    torch.manual_seed(0)
    chance, templates = random.Random(0), torch.randn(K, D)
    test = segments(200, templates, chance)
    model = trained(Tagger(36, delay=delay), templates, chance)
    by_delay.append(accuracy(model, *test))
plt.plot(DELAYS, by_delay, "-o", color="C1")
plt.axhline(rates["both"][0], linestyle="--", color="gray")
plt.axhline(1 / K, linestyle=":", color="gray")
plt.text(0, rates["both"][0] + 0.02, "both directions", color="gray")
plt.text(6, 1 / K + 0.02, "guessing", color="gray", ha="right")
plt.text(3.4, by_delay[3] - 0.05, "one direction", color="C1")
plt.ylim(0, 1.08)
plt.xlabel("delay (frames)")
plt.ylabel("accuracy")
plt.show()
at_delay = dict(zip(DELAYS, by_delay, strict=True))
rate_at_two, rate_at_five = at_delay[2], at_delay[5]
assert abs(at_delay[0] - 1 / K) < 0.04, at_delay
assert by_delay[:5] == sorted(by_delay[:5]), at_delay
assert rate_at_five > rates["both"][0] - 0.08, at_delay

# %% [markdown]
# Each frame of waiting tells more, until the next segment has certainly begun. Then one direction
# is nearly as good as two. Two directions need no such choice. But they cannot begin to answer
# before the sound has ended: the networks of the paper cannot write along with a speaker.
#
# Not even two directions are always right. Two segments of the same class in a row look like one.
