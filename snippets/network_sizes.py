# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "sizes of networks"
# ///

# %% [markdown]
# # The nine networks, weight by weight
#
# The table of results of Graves, Mohamed and Hinton, "Speech Recognition with Deep Recurrent Neural
# Networks" (2013), says how many million weights each network has. Can they be counted from its
# name? `3l-250h` is three levels (torch: layers) of 250 cells in each direction.

# %% imports
import math
from dataclasses import dataclass

import matplotlib.pyplot as plt
import torch
from torch import nn

# Axis letters: D features of a frame, H cells of one direction of a level, V symbols.
D, V = 123, 62  # 61 phone labels of TIMIT and the blank


# %% network
@dataclass(frozen=True)
class Network:
    """A row of the paper's table: what it is, and the figures printed there."""

    name: str
    num_layers: int
    hidden_size: int
    millions: float  # weights, as printed
    epochs: int
    error_rate: float  # of phones on TIMIT's core test, in percent
    directions: int = 2
    cell: str = "lstm"
    transducer: bool = False


NETWORKS = [
    Network("CTC-3l-500h-tanh", 3, 500, 3.7, 107, 37.6, cell="tanh"),
    Network("CTC-1l-250h", 1, 250, 0.8, 82, 23.9),
    Network("CTC-1l-622h", 1, 622, 3.8, 87, 23.0),
    Network("CTC-2l-250h", 2, 250, 2.3, 55, 21.0),
    Network("CTC-3l-421h-uni", 3, 421, 3.8, 115, 19.6, directions=1),
    Network("CTC-3l-250h", 3, 250, 3.8, 124, 18.6),
    Network("CTC-5l-250h", 5, 250, 6.8, 150, 18.4),
    Network("Trans-3l-250h", 3, 250, 4.3, 112, 18.3, transducer=True),
    Network("PreTrans-3l-250h", 3, 250, 4.3, 144, 17.7, transducer=True),
]

# %% [markdown]
# ## One level, one direction
#
# A gate has a weight for each input, one for each cell that it hears from the step before, and a
# bias. A cell has four gates. (The candidate is counted as one.) Three of them also look at the
# cell itself, through a single weight each: the peephole. A tanh cell has no gates.


# %% level_weights
def level_weights(input_size, hidden_size, cell="lstm"):
    """Return how many weights one direction of a level has.

    `cell` is "lstm", with peepholes and one bias a gate, or "tanh". Raises ValueError for another.
    """
    if cell not in ("lstm", "tanh"):
        raise ValueError(f"there is no cell {cell!r}; lstm and tanh are known")
    gates, peepholes = (4, 3) if cell == "lstm" else (1, 0)
    return hidden_size * (gates * (input_size + hidden_size + 1) + peepholes)


# %% [markdown]
# The first level hears D numbers. Each later one hears both directions of the level below.
#
# CTC adds a layer from the top level to the symbols. The transducer has more: an LSTM of 250 cells
# over the 61 labels, a layer from the top level to 250 numbers, a joint layer of 250 that takes
# these and the LSTM's, and the symbols on top.


# %% network_weights
def network_weights(network):
    """Return how many weights a network of the table has."""
    H, directions = network.hidden_size, network.directions
    inputs = [D, *[directions * H] * (network.num_layers - 1)]
    levels = sum(directions * level_weights(size, H, network.cell) for size in inputs)
    if not network.transducer:
        return levels + (directions * H + 1) * V
    predictor = level_weights(V - 1, H)
    return levels + predictor + (directions * H + 1) * H + (2 * H + 1) * H + (H + 1) * V


# %% [markdown]
# Do all nine agree with what is printed? The last column is the paper's error rate.

# %% all_nine tags=["demo"]
print(" computed  printed    PER   network")
for network in NETWORKS:
    computed = network_weights(network)
    print(f"{computed:9,} {network.millions:7} M  {network.error_rate:.1f}   {network.name}")
    assert round(computed / 1e6, 1) == network.millions, (network, computed)
by_name = {network.name: network for network in NETWORKS}
weights_of_best_ctc = network_weights(by_name["CTC-3l-250h"])
weights_1, weights_2, weights_3, weights_4, weights_5, *others = map(network_weights, NETWORKS)
weights_6, weights_7, weights_8, weights_9 = others

# %% [markdown]
# All of them do. So the counting is right: one bias, peepholes, cells for each direction. It says
# nothing about the error rates.
#
# `nn.LSTM` has two biases a gate and no peepholes. With its three levels the count is a little
# different.

# %% in_torch tags=["demo"]
with torch.device("meta"):  # shapes without numbers
    levels = nn.LSTM(D, 250, num_layers=3, bidirectional=True)
    decoder = nn.Linear(2 * 250, V)
weights_in_torch = sum(w.numel() for part in (levels, decoder) for w in part.parameters())
second_biases, peepholes = 6 * 4 * 250, 6 * 3 * 250
print(f"CTC-3l-250h in torch {weights_in_torch:,}, in the paper {weights_of_best_ctc:,}")
print("first level ", tuple(levels.weight_ih_l0.shape))
print("second level", tuple(levels.weight_ih_l1.shape))
assert weights_in_torch == weights_of_best_ctc + second_biases - peepholes
assert levels.weight_ih_l1.shape == (4 * 250, 2 * 250)
one_level = level_weights(123, 250)
uniform_path = -100 * math.log(V)  # nats, of an alignment of 100 frames

# %% [markdown]
# ## What the nine say, and what they cannot
#
# Follow the lines: the solid one adds levels of 250 cells. The dashed one connects networks of
# nearly the same size.

# %% error_over_weights tags=["demo"] alt="Error rate over millions of weights. Levels of 250 cells: from 23.9 percent with one level down to 18.6 with three and 18.4 with five. At 3.8 million weights stand, from top to bottom, one wide level, one direction and three levels. The transducers lie at 4.3 million, a little lower. The tanh network, at 37.6, is off the scale and named in the corner."
deeper = [by_name[f"CTC-{n}l-250h"] for n in (1, 2, 3, 5)]
equal = [by_name[name] for name in ("CTC-1l-622h", "CTC-3l-421h-uni", "CTC-3l-250h")]
for group, style, colour in ((deeper, "-o", "C1"), (equal, "--s", "C0")):
    plt.plot([n.millions for n in group], [n.error_rate for n in group], style, color=colour)
for network in NETWORKS[-2:]:
    plt.plot(network.millions, network.error_rate, "^", color="C3")
for name, place, side in [
    ("CTC-1l-250h", "1 level", "left"),
    ("CTC-2l-250h", "2", "left"),
    ("CTC-3l-250h", "3 ", "right"),
    ("CTC-5l-250h", "5", "left"),
    ("CTC-1l-622h", "1 wide level", "left"),
    ("CTC-3l-421h-uni", "3, one direction", "left"),
    ("Trans-3l-250h", "transducer", "left"),
    ("PreTrans-3l-250h", "pretrained", "left"),
]:
    network = by_name[name]
    across = -0.1 if side == "right" else 0.15
    above = -0.2 if network.transducer else 0.12
    plt.text(network.millions + across, network.error_rate + above, place, ha=side, fontsize=10)
plt.text(2.6, 24.5, "(tanh, 3 levels: 37.6%)", color="gray", fontsize=10)
plt.xlim(0.4, 7.4)
plt.ylim(17.2, 25)
plt.xlabel("million weights")
plt.ylabel("phone error rate (%)")
plt.show()


# %% [markdown]
# Every network was trained once. How far could another run, or another test of the same size, be
# from what is printed? Even if the phones were independent of each other, a rate near 18% has a
# standard error. TIMIT's core test has about 7,200 phones.

# %% standard_error tags=["demo"]
phones, rate = 7200, 0.186
standard_error = 100 * math.sqrt(rate * (1 - rate) / phones)  # percentage points
print(f"standard error of one rate: {standard_error:.2f} points")
errors_apart = {}
for first, second in [
    ("CTC-3l-500h-tanh", "CTC-3l-250h"),
    ("CTC-1l-622h", "CTC-3l-250h"),
    ("CTC-3l-421h-uni", "CTC-3l-250h"),
    ("CTC-3l-250h", "PreTrans-3l-250h"),
    ("CTC-3l-250h", "Trans-3l-250h"),
]:
    higher, lower = by_name[first].error_rate, by_name[second].error_rate
    errors = (higher - lower) / (math.sqrt(2) * standard_error)
    print(f"{errors:4.1f} errors, {higher - lower:4.1f} points: {first}, {second}")
    errors_apart[first, second] = errors
lstm, tanh, last = (
    by_name[name].error_rate for name in ("CTC-3l-250h", "CTC-3l-500h-tanh", "PreTrans-3l-250h")
)
tanh_reduction, pretraining_reduction = 1 - lstm / tanh, 1 - last / lstm
of_tanh, of_depth, of_direction, of_pretraining, of_transducer = errors_apart.values()
assert min(of_tanh, of_depth) > 5, errors_apart
assert min(of_pretraining, of_direction) > 1, errors_apart
assert max(of_pretraining, of_direction) < 2, errors_apart
assert of_transducer < 1, errors_apart
pretraining_phones = (lstm - last) / 100 * phones

# %% [markdown]
# A difference of less than two such errors can be chance. That of LSTM and tanh cells is not, nor
# that of three levels and a single one of the same size. The second direction and the pretraining
# stay below two, and the step from CTC to a transducer without pretraining below one. And what two
# runs of the same training differ by comes on top: that, one run cannot show.
