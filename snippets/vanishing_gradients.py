# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "vanishing gradients"
# ///

# %% [markdown]
# # Vanishing gradients
#
# How much of the gradient of the last hidden state reaches the first state, T steps back.
# For "The Problem of Long-Term Dependencies" in Olah's "Understanding LSTM Networks", which cites
# Hochreiter (1991) and Bengio et al. (1994). The networks are untrained.

# %% imports
import math

import matplotlib.pyplot as plt
import torch
from torch import nn

torch.set_num_threads(1)
# Axis letters: T time, D features (input_size), H hidden (hidden_size).

# %% [markdown]
# ## A forget bias
#
# Torch adds two biases in each gate, and draws both between -1/√H and 1/√H.
# "Forget bias b" means here that the two sum to b in the forget gate; all else stays as drawn.


# %% set_forget_bias
@torch.no_grad()
def set_forget_bias(lstm, bias):
    """Make bias_ih + bias_hh equal to bias in the forget gates of a `torch.nn.LSTM`, in place.

    Raises ValueError for a module that has no forget bias.
    """
    if not isinstance(lstm, nn.LSTM) or not lstm.bias:
        raise ValueError(f"needs a torch.nn.LSTM with bias=True, found {lstm}")
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_"):
            forget = parameter.chunk(4)[1]  # (H,): the rows are i, f, g, o
            forget.fill_(bias if name.startswith("bias_ih") else 0)


# %% [markdown]
# ## The gradient
#
# The first state is h_0, for an LSTM h_0 and C_0 joined into one vector of 2H numbers.
# The gradient is that of the sum of all units of h_T, and the norm is its Euclidean length.


# %% gradient_norm
def gradient_norm(network, inputs):
    """Norm of the gradient of h_T, summed over its units, with respect to a zero first state.

    network a `torch.nn.RNN`, `GRU` or `LSTM`, one layer, one direction; inputs (T, D), unbatched.
    Returns a number.
    Source: Hochreiter 1991; Bengio et al. 1994.
    """
    states = 2 if isinstance(network, nn.LSTM) else 1  # an LSTM has h and C
    first = inputs.new_zeros(states, 1, network.hidden_size, requires_grad=True)
    hidden, _ = network(inputs, tuple(first) if states == 2 else first[0])  # (T, H)
    (gradient,) = torch.autograd.grad(hidden[-1].sum(), first)  # (1 or 2, 1, H)
    return gradient.norm().item()


# %% norms_by_seed
LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200)


def norms_by_seed(kind, forget_bias=None, recurrent_scale=1.0, seeds=5, D=8, H=64):
    """Gradient norms of freshly initialised networks on random inputs from N(0, 1).

    kind a class of `torch.nn`; forget_bias a number, or None for torch's own initialisation;
    recurrent_scale multiplies weight_hh. Returns a tensor (seeds, len(LENGTHS)).
    """
    rows = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        # In single precision the smallest norms would round to zero.
        network = kind(D, H).double().requires_grad_(False)
        if forget_bias is not None:
            set_forget_bias(network, forget_bias)
        network.weight_hh_l0 *= recurrent_scale
        inputs = torch.randn(max(LENGTHS), D).double()
        rows.append([gradient_norm(network, inputs[:T]) for T in LENGTHS])
    return torch.tensor(rows, dtype=torch.float64)


# %% [markdown]
# ## Against the distance
#
# Seven networks, and the median of five seeds for each. "Default" is torch's own initialisation.
# Look at the column T = 50, from top to bottom.

# %% norms_by_distance tags=["demo"]
networks = {"RNN": (nn.RNN,), "GRU": (nn.GRU,), "LSTM default": (nn.LSTM,)}
networks |= {f"LSTM bias {bias}": (nn.LSTM, bias) for bias in (0, 1, 3, 5)}
by_seed = {name: norms_by_seed(*network) for name, network in networks.items()}
norms = {
    name: dict(zip(LENGTHS, rows.median(0).values.tolist(), strict=True))
    for name, rows in by_seed.items()
}

shown = (1, 10, 50, 100, 200)
print("network     " + "".join(f"{f'T={T}':>10}" for T in shown))
for name, norm in norms.items():
    print(f"{name:12}" + "".join(f"{norm[T]:10.1e}" for T in shown))

rnn_at_50, gru_at_50, default_at_50, *biased_at_50 = (norm[50] for norm in norms.values())
bias_0_at_50, bias_1_at_50, bias_3_at_50, bias_5_at_50 = biased_at_50
default_at_100 = norms["LSTM default"][100]
assert 100 * rnn_at_50 < default_at_50 < bias_1_at_50 / 100, norms
assert bias_1_at_50 < bias_3_at_50 / 100, norms
assert max(gru_at_50, default_at_50, bias_0_at_50) < 1e-8, norms
assert default_at_100 < 1e-15, default_at_100

# %% [markdown]
# The LSTM that torch builds by default loses the gradient, a little more slowly than the RNN.
# The GRU and a forget bias of 0 lose it as well. A larger bias changes the picture.

# %% norms_on_a_log_scale tags=["demo"] alt="Gradient norm on a logarithmic axis against T up to 200. The RNN falls fastest; GRU, default LSTM and LSTM with forget bias 0 fall together; bias 1 falls more slowly. All five are straight lines. Biases 3 and 5 stay level."
styles = (
    {"color": "black", "linestyle": ":"},
    {"color": "gray", "linewidth": 6, "alpha": 0.5},
    {"color": "C0", "linestyle": "-"},
    {"color": "C0", "linestyle": ":", "marker": "x"},
    {"color": "C0", "linestyle": "-.", "marker": "o"},
    {"color": "C0", "linestyle": "--", "marker": "s"},
    {"color": "C0", "linestyle": "-", "marker": "^"},
)
for norm, style in zip(norms.values(), styles, strict=True):
    plt.semilogy(norm.keys(), norm.values(), **style)
plt.text(44, 1e-13, "RNN", ha="right")
plt.text(112, 1e-13, "default,\nbias 0 (×),\nGRU (broad)", va="top")
plt.text(152, 1e-9, "bias 1")
plt.text(200, 3e2, "bias 5", ha="right")
plt.text(200, 5e-2, "bias 3", ha="right", va="top")
plt.xlim(0, 203)
plt.ylim(1e-21, 1e4)
plt.gca().yaxis.set_major_formatter("{x:.0e}")  # exponents set small are lost on a phone
plt.xlabel("T, steps back")
plt.ylabel("gradient norm")
plt.show()

# %% [markdown]
# A straight line on this axis means the same factor at each step. The next cell measures it.

# %% one_factor_per_step tags=["demo"]
falling = ("RNN", "GRU", "LSTM default", "LSTM bias 0", "LSTM bias 1")
factors, bends = {}, {}
print("factor per step   T: 50-100   100-200")
for name in falling:
    norm = norms[name]
    early, late = (norm[100] / norm[50]) ** (1 / 50), (norm[200] / norm[100]) ** (1 / 100)
    factors[name] = (norm[200] / norm[50]) ** (1 / 150)
    bends[name] = abs(late / early - 1)
    print(f"{name:12} {early:14.3f} {late:9.3f}")

rnn_factor, gru_factor, default_factor, bias_0_factor, bias_1_factor = factors.values()
rnn_at_200, gru_at_200, default_at_200, *biased_at_200 = (norm[200] for norm in norms.values())
bias_0_at_200, bias_1_at_200, bias_3_at_200, bias_5_at_200 = biased_at_200
assert max(bends.values()) < 0.05, bends
assert rnn_factor + 0.03 < min(gru_factor, default_factor), factors
assert max(gru_factor, default_factor) < bias_1_factor - 0.1 < 0.9, factors
assert min(bias_3_at_200, bias_5_at_200) > 1, norms
assert rnn_at_200 < 2**-149, rnn_at_200  # the smallest number above zero in single precision

# %% [markdown]
# The two columns agree, so the lines do not bend. Vanishing is geometric. At the far end the RNN's
# gradient is zero in single precision.

# %% [markdown]
# ## And the other way
#
# Along the cell state alone, each of the H entries of the gradient is a product of numbers
# below 1. That path by itself keeps the norm below √H, here with H = 64.
# Compare a bias of 5 as drawn with the same networks after doubling weight_hh.

# %% gradients_can_grow tags=["demo"]
bias_5 = by_seed["LSTM bias 5"]
doubled = norms_by_seed(nn.LSTM, forget_bias=5, recurrent_scale=2)
belt_limit = math.sqrt(64)  # √H

print("   T   bias 5   weight_hh doubled")
medians = zip(bias_5.median(0).values, doubled.median(0).values, strict=True)
for T, (plain, scaled) in zip(LENGTHS, medians, strict=True):
    print(f"{T:4d} {plain:8.1f} {scaled:19.1f}")

bias_5_at_1 = bias_5.median(0).values[0].item()
doubled_at_1, doubled_at_200 = doubled.median(0).values[[0, -1]].tolist()
bias_5_smallest_growth = (bias_5[:, -1] / bias_5[:, 0]).min().item()
doubled_smallest_growth = (doubled[:, -1] / doubled[:, 0]).min().item()
assert bias_5_smallest_growth > 1.5, bias_5_smallest_growth
assert bias_5_at_1 < belt_limit < bias_5_at_200, (bias_5_at_1, bias_5_at_200)
assert doubled_smallest_growth > 10, doubled_smallest_growth
assert doubled_at_200 > 5 * bias_5_at_200, (doubled_at_200, bias_5_at_200)

# %% [markdown]
# In every seed the norm is larger at the last T than at the first, and the median ends above √H.
# The surplus comes through h and the gates, and larger recurrent weights add to it.
# An LSTM does not stop exploding gradients. Clipping is still needed.
