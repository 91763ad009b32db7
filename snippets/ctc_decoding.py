# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "CTC decoding"
# ///

# %% [markdown]
# # The best path is not the best labelling
#
# What a CTC network has written is a sum over alignments, in Graves, Fernández, Gomez and
# Schmidhuber (2006) and in Graves, Mohamed and Hinton (2013). The most probable single alignment is
# easy to find. The most probable labels take a search.

# %% imports
import math
from collections import defaultdict
from itertools import pairwise, product

import numpy
import torch

torch.set_num_threads(1)
# Axis letters: T time (frames), V symbols with the blank.
BLANK = 0


# %% best_path
def collapse(alignment):
    """Return the labels that an alignment stands for: repeats merged, then blanks dropped."""
    first = alignment[:1]
    changed = [symbol for before, symbol in pairwise(alignment) if symbol != before]
    return tuple(symbol for symbol in (*first, *changed) if symbol != BLANK)


def best_path(log_probabilities):
    """Return the labels of the most probable alignment, from log-probabilities (T, V)."""
    return collapse(log_probabilities.argmax(1).tolist())


# %% [markdown]
# ## Two frames
#
# In each of two frames the blank has 0.6 and the label `a` 0.4. There are four alignments. Which is
# the most probable, and which labels are?

# %% two_frames tags=["demo"]
table = torch.tensor([[0.6, 0.4], [0.6, 0.4]], dtype=torch.double)
names = {0: "-", 1: "a"}
by_labels = defaultdict(float)
print("alignment  labels  probability")
for path in product((0, 1), repeat=2):
    probability = math.prod(table[t, symbol].item() for t, symbol in enumerate(path))
    labels = "".join(names[symbol] for symbol in collapse(path))
    by_labels[labels] += probability
    print(f"{''.join(names[s] for s in path):10} {labels or '(none)':7} {probability:.2f}")
nothing, one_label = by_labels[""], by_labels["a"]
print(f"no label {nothing:.2f}, a {one_label:.2f}")
assert best_path(table.log()) == ()
assert math.isclose(nothing, 0.36)
assert math.isclose(one_label, 0.64)

# %% [markdown]
# The best path is two blanks, and stands for no label. Three others stand for `a`, and together
# they have nearly twice its probability.
#
# ## Prefix beam search
#
# Go through the frames and keep the best beginnings of the labels. All alignments that lead to the
# same beginning are added up. Two sums are needed for each: one over those that end in a blank, one
# over those that end in the beginning's last label. For the same label once more is a repeat after
# the second kind, and a new label after the first.


# %% prefix_beam_search
def prefix_beam_search(log_probabilities, width):
    """Return the best `width` labellings as (labels, log-probability in nats), the best one first.

    `log_probabilities` (T, V) are those of each symbol in each frame. What leaves the beam is lost,
    so that a log-probability is a lower bound. Raises ValueError for a width below 1, another shape
    or frames that do not add up to one.
    """
    if width < 1:
        raise ValueError(f"a beam of width {width} keeps nothing; 1 is the least")
    if log_probabilities.dim() != 2:
        raise ValueError(f"the shape {tuple(log_probabilities.shape)} is not (T, V)")
    if len(log_probabilities) and (totals := log_probabilities.logsumexp(1)).abs().max() > 1e-3:
        wrong = totals.abs().argmax().item()
        found = f"frame {wrong} adds up to {totals[wrong].exp():.3f}"
        raise ValueError(f"{found}, not to 1; take log_softmax of a network's outputs")
    beam = {(): (0.0, -math.inf)}
    for frame in log_probabilities.double().tolist():
        longer = defaultdict(lambda: (-math.inf, -math.inf))
        for labels, sums in beam.items():
            extend(longer, labels, sums, frame)
        best = sorted(longer.items(), key=lambda item: -numpy.logaddexp(*item[1]))
        beam = dict(best[:width])
    return [(labels, float(numpy.logaddexp(*sums))) for labels, sums in beam.items()]


def extend(longer, labels, sums, frame):
    """Add what one frame makes of a beginning to the sums of `longer`."""
    blank, label = sums
    total = numpy.logaddexp(blank, label)
    ended, written = longer[labels]
    if labels:  # its last label is held
        written = numpy.logaddexp(written, label + frame[labels[-1]])
    longer[labels] = (numpy.logaddexp(ended, total + frame[BLANK]), written)
    for symbol in range(1, len(frame)):
        way = frame[symbol] + (blank if labels and symbol == labels[-1] else total)
        if way > -math.inf:
            ended, written = longer[(*labels, symbol)]
            longer[(*labels, symbol)] = (ended, numpy.logaddexp(written, way))


# %% [markdown]
# With a beam that is wide enough it has every labelling, and its exact probability. The list of all
# alignments of six frames says so.


# %% every_labelling
def every_labelling(log_probabilities):
    """Return {labels: log-probability} as sums over all V ** T alignments."""
    T, V = log_probabilities.shape
    paths = torch.tensor(list(product(range(V), repeat=T)))
    scores = log_probabilities[torch.arange(T), paths].sum(1).tolist()
    found = defaultdict(list)
    for path, score in zip(paths.tolist(), scores, strict=True):
        found[collapse(path)].append(score)
    return {labels: float(numpy.logaddexp.reduce(ways)) for labels, ways in found.items()}


# %% wide_beam_is_exact tags=["demo"]
T, V = 6, 4
generator = torch.Generator().manual_seed(0)
log_probabilities = torch.randn(T, V, dtype=torch.double, generator=generator).log_softmax(1)
exact = every_labelling(log_probabilities)
found = dict(prefix_beam_search(log_probabilities, width=1000))
largest_difference = max(abs(found[labels] - exact[labels]) for labels in exact)
number_of_labellings = len(exact)
print(f"{number_of_labellings} labellings, difference at most {largest_difference:.0e} nats")
assert found.keys() == exact.keys()
assert largest_difference < 1e-9, largest_difference
assert abs(sum(map(math.exp, exact.values())) - 1) < 1e-9

# %% [markdown]
# ## How wide is wide enough?
#
# A hundred networks that say random things, some more and some less decided: their outputs are
# multiplied by 1, 3 and 9. Each entry says in how many of a hundred cases the best labelling is
# found. The truth is the list.

# %% how_often_the_best_is_found tags=["demo"]
SCALES, WIDTHS = (1, 3, 9), (1, 2, 4, 8, 16)
found_by = {name: dict.fromkeys(SCALES, 0) for name in ("best path", *WIDTHS)}
for _ in range(100):
    outputs = torch.randn(T, V, dtype=torch.double, generator=generator)
    for scale in SCALES:
        log_probabilities = (scale * outputs).log_softmax(1)
        exact = every_labelling(log_probabilities)
        best = max(exact, key=exact.get)
        found_by["best path"][scale] += best_path(log_probabilities) == best
        for width in WIDTHS:
            found_by[width][scale] += prefix_beam_search(log_probabilities, width)[0][0] == best
print("times 1   3   9   search")
for name, counts in found_by.items():
    row = "  ".join(f"{count:3}" for count in counts.values())
    print(f"   {row}   {name if name == 'best path' else f'beam of {name}'}")
undecided, _, decided = found_by["best path"].values()
beam_undecided = found_by[16][1]
assert undecided < 60, found_by
assert decided > undecided + 20, found_by
assert 88 <= beam_undecided < 100, found_by
assert min(found_by[16][scale] for scale in (3, 9)) >= 97, found_by
assert all(found_by[16][scale] >= found_by[2][scale] for scale in SCALES), found_by

# %% [markdown]
# The less decided the network, the more often the best path is wrong, and the wider the beam has to
# be: where all is nearly equal, even sixteen beginnings miss some. A trained network is decided.
# There the best path is nearly as good, and it costs nothing. Graves, Mohamed and Hinton searched
# with a beam of 100, by what others report of their paper.
