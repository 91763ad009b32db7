# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "gate order"
# ///

# %% [markdown]
# # Weights from TensorFlow: the order of the gates
#
# TensorFlow's tutorial "Recurrent Neural Networks" builds on a cell that keeps its weights in one
# matrix. Every number of it has a place in `torch.nn.LSTM`, but another one. Nothing warns of a
# wrong place, since the shapes agree.

# %% imports
from itertools import permutations

import torch
from torch import nn

torch.set_num_threads(1)
# Axis letters: B batch, T time, D features (input_size), H hidden (hidden_size).

# %% [markdown]
# ## The cell of TensorFlow
#
# One kernel for input and state together, the input's rows first. Its columns are four blocks: i,
# j, f and o. What torch calls g is called j. A forget bias is added while the cell runs and stored
# nowhere. It is 1 unless one asks for another; the tutorial's script asks for 0.


# %% tensorflow_lstm
def tensorflow_lstm(x, kernel, bias, forget_bias=1.0):
    """Run TensorFlow's BasicLSTMCell over x (T, B, D), from zeros; return its outputs (T, B, H).

    kernel (D + H, 4H), bias (4H,).
    """
    H = len(bias) // 4
    h = c = x.new_zeros(x.shape[1], H)
    outputs = []
    for x_t in x:
        i, j, f, o = (torch.cat([x_t, h], dim=1) @ kernel + bias).chunk(4, dim=1)  # (B, H) each
        c = torch.sigmoid(f + forget_bias) * c + torch.sigmoid(i) * torch.tanh(j)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs)


# %% [markdown]
# ## Five programs, three orders
#
# The candidate has a name of its own in each. Here it is g.


# %% permutation
ORDERS = {
    "torch": "ifgo",
    "tensorflow": "igfo",
    "zaremba": "igfo",
    "keras": "ifgo",
    "char-rnn": "ifog",
}


def permutation(library):
    """Return which of a library's four blocks comes first, second, third and fourth in torch.

    Raises ValueError for a library whose order is not known.
    """
    if library not in ORDERS:
        raise ValueError(f"no order is known for {library!r}, only for {', '.join(ORDERS)}")
    return tuple(ORDERS[library].index(gate) for gate in ORDERS["torch"])


# %% from_tensorflow
def from_tensorflow(kernel, bias, input_size, forget_bias=1.0, order=None):
    """Return the state dict of an `nn.LSTM` of one layer that equals a cell of TensorFlow.

    kernel (D + H, 4H), bias (4H,). `order` has the places of the blocks i, f, g, o; without it
    they are TensorFlow's. Raises ValueError for shapes that do not fit together.
    """
    H = len(bias) // 4
    if kernel.shape != (input_size + H, 4 * H):
        needed = f"a bias of {len(bias)} and {input_size} features need {(input_size + H, 4 * H)}"
        raise ValueError(f"the kernel is {tuple(kernel.shape)}; {needed}")
    order = order or permutation("tensorflow")

    def blocks(rows):
        return torch.cat([rows.chunk(4)[place] for place in order])

    weight_ih, weight_hh = kernel.T.split([input_size, H], dim=1)  # (4H, D), (4H, H)
    bias = blocks(bias)
    bias.chunk(4)[1].add_(forget_bias)  # torch has no forget bias of its own
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    values = (blocks(weight_ih), blocks(weight_hh), bias, torch.zeros_like(bias))
    return dict(zip(names, values, strict=True))


# %% [markdown]
# Zaremba is the program of the paper that the tutorial reproduces, in Lua for Torch. For each:
# which of its blocks, counted from 0, come first, second, third and fourth in torch?

# %% order_table tags=["demo"]
print("program    blocks     for torch")
for program, order in ORDERS.items():
    print(f"{program:10} {', '.join(order):10} {permutation(program)}")
assert permutation("tensorflow") == permutation("zaremba") == (0, 2, 1, 3)
assert permutation("keras") == permutation("torch") == (0, 1, 2, 3)
assert permutation("char-rnn") == (0, 1, 3, 2)

# %% [markdown]
# ## Does it matter?
#
# A cell of TensorFlow with random weights, in double precision. Put its blocks into torch in each
# of the 24 possible orders. Every one loads. How many give the same outputs?

# %% all_orders tags=["demo"]
torch.manual_seed(0)
T, B, D, H = 20, 4, 3, 5
x = torch.randn(T, B, D, dtype=torch.double)
kernel, bias = torch.randn(D + H, 4 * H).double(), torch.randn(4 * H).double()
expected = tensorflow_lstm(x, kernel, bias, forget_bias=0.0)
lstm, difference = nn.LSTM(D, H).double(), {}
for order in permutations(range(4)):
    lstm.load_state_dict(from_tensorflow(kernel, bias, D, 0.0, order))
    difference[order] = (lstm(x)[0] - expected).abs().max().item()

ranked = sorted(difference, key=difference.get)
print("order          largest difference")
for order in ranked[:3]:
    print(f"{order}   {difference[order]:.1e}")
print(f"... and {len(ranked) - 3} more, up to {difference[ranked[-1]]:.1f}")
as_stored = difference[0, 1, 2, 3]
print(f"{(0, 1, 2, 3)}   {as_stored:.1e}   as stored")
right_difference, next_difference = (difference[order] for order in ranked[:2])
assert ranked[0] == permutation("tensorflow"), ranked
assert right_difference < 1e-12 < 0.1 < next_difference, difference

# %% [markdown]
# One. Outputs lie between -1 and 1, so the others are off by much of what is possible. A network
# with a wrong order still loads and still runs.
#
# ## The bias that is not stored
#
# The cell's own forget bias is no part of the weights. Who imports them has to know which one was
# used. Here the cell ran with TensorFlow's default of 1. Look at the import that leaves it out.

# %% forget_bias tags=["demo"]
expected = tensorflow_lstm(x, kernel, bias, forget_bias=1.0)
for forget_bias in (1.0, 0.0):
    lstm.load_state_dict(from_tensorflow(kernel, bias, D, forget_bias))
    off = (lstm(x)[0] - expected).abs().max().item()
    print(f"imported with a forget bias of {forget_bias:g}   largest difference {off:.1e}")
    assert off < 1e-12 if forget_bias else off > 0.1, (forget_bias, off)
without_forget_bias = off

# %% [markdown]
# torch adds two biases. It needs one of them for this: the other is set to zero.
