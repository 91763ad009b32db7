# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "parameters, bits and conventions"
# ///

# %% [markdown]
# # The numbers of char-rnn, computed again
#
# Sizes, units and conventions of the programs behind Andrej Karpathy's "The Unreasonable
# Effectiveness of Recurrent Neural Networks", each worked out and held against torch.

# %% imports
import math

import torch
from torch import nn

torch.set_num_threads(1)
# Axis letters: B batch, V vocabulary, H hidden (hidden_size).

# %% [markdown]
# ## Parameters
#
# char-rnn reads letters one-hot, so its first layer has V inputs. Each layer has two biases, as
# torch's layers do. A linear decoder gives V scores.


# %% count_parameters
def lstm_parameters(V, hidden_size, num_layers):
    """Count what char-rnn's LSTM learns: its layers, with two biases each, and its decoder."""
    H, count = hidden_size, 0
    for layer in range(num_layers):
        inputs = V if layer == 0 else H
        count += 4 * H * (inputs + H + 2)
    return count + V * H + V


def min_char_rnn_parameters(V, hidden_size):
    """Count what the program of a hundred lines learns: three matrices and two biases."""
    return hidden_size * (V + hidden_size + V) + hidden_size + V


# %% [markdown]
# The first two rows are the program's own defaults, for the 65 characters of its small Shakespeare
# file. The third and fourth are runs of the post; 96 and 205 different characters are our guess for
# its texts.

# %% parameter_table tags=["demo"]
sizes = {
    "char-rnn, first release": (65, 100, 2),
    "char-rnn, today": (65, 128, 2),
    "essays": (96, 512, 2),
    "Wikipedia": (205, 700, 3),
}
counts = {name: lstm_parameters(*size) for name, size in sizes.items()}
counted = {
    name: sum(weight.numel() for weight in nn.LSTM(V, H, layers).parameters())
    + sum(weight.numel() for weight in nn.Linear(H, V).parameters())
    for name, (V, H, layers) in sizes.items()
}
print("network                    V  units  layers   parameters")
for name, (V, H, layers) in sizes.items():
    print(f"{name:24} {V:3d}  {H:5d}  {layers:6d} {counts[name]:12,d}")
numpy_count = min_char_rnn_parameters(65, 100)
print(f"{'min-char-rnn':24}  65    100       1 {numpy_count:12,d}")

first_count, today_count, essays_count, wikipedia_count = counts.values()
assert counts == counted, (counts, counted)
assert round(first_count, -4) == 150_000, first_count  # what the Readme states for the default
assert abs(essays_count / 3.5e6 - 1) < 0.05, essays_count  # the post says about 3.5 million

# %% [markdown]
# ## Nats and bits
#
# torch's loss is in nats. Papers on compression and many on character models print bits. A nat is
# 1 / ln 2 bits. The way by the perplexity, log2(exp(loss)), gives the same number.


# %% to_bits
def to_bits(nats):
    """Convert a loss from nats to bits."""
    return nats / math.log(2)


# %% bits_table tags=["demo"]
nanogpt_bits, paper_bits = to_bits(1.4697), to_bits(1.077)
print(f"1.4697 nats = {nanogpt_bits:.3f} bits   nanoGPT, small Shakespeare file")
print(f"1.077  nats = {paper_bits:.3f} bits   the paper's best, War and Peace")
for nats in (1.4697, 1.077):
    assert abs(math.log2(math.exp(nats)) - to_bits(nats)) < 1e-12, nats
assert abs(nanogpt_bits - 2.120) < 5e-4, nanogpt_bits
assert abs(paper_bits - 1.554) < 5e-4, paper_bits

# %% [markdown]
# ## Where the held-out text lies
#
# char-rnn cuts a text into rows, one for each place in the batch, and holds out the last 5% of the
# *columns*. So the held-out text is one stripe at the end of each row, not the end of the file.


# %% stripes
def held_out_stripes(length, batch_size, sequence_length, share=0.05):
    """Say what char-rnn holds out of a text: batches to train on, held out, and the stripes.

    A stripe is a pair of positions in the text, in characters, the second one excluded.
    Source: util/CharSplitLMMinibatchLoader.lua in char-rnn.
    """
    batches = length // (batch_size * sequence_length)
    training = math.floor((1 - share) * batches)
    row = batches * sequence_length
    stripes = [
        (start + training * sequence_length, start + row)
        for start in range(0, batch_size * row, row)
    ]
    return training, batches - training, stripes


# %% stripes_of_shakespeare tags=["demo"]
training_batches, held_out_batches, stripes = held_out_stripes(1_115_394, 50, 50)
print(f"{training_batches} batches to train on, {held_out_batches} held out")
print(f"{len(stripes)} stripes of {stripes[0][1] - stripes[0][0]:,} characters each, the first at")
print(", ".join(f"{start:,}" for start, _ in stripes[:4]), "...")
assert (training_batches, held_out_batches) == (423, 23), (training_batches, held_out_batches)
assert len(stripes) == 50, len(stripes)

# %% [markdown]
# ## The order of the gates
#
# char-rnn stacks its gates as input, forget, output, candidate; torch as input, forget, candidate,
# output. Both have two biases. Swap the last two blocks, and the networks are the same.


# %% char_rnn_step
def char_rnn_step(x, h, c, i2h, h2h):
    """Take one step of char-rnn's LSTM: x (B, V), h and c (B, H), two linear layers to 4 H.

    Returns the next h and c. Source: model/LSTM.lua in char-rnn.
    """
    in_gate, forget_gate, out_gate, transform = (i2h(x) + h2h(h)).chunk(4, dim=1)  # each (B, H)
    c = forget_gate.sigmoid() * c + in_gate.sigmoid() * transform.tanh()
    return out_gate.sigmoid() * c.tanh(), c


def swap_last_blocks(weight):
    """Turn rows in the order i, f, o, g into rows in the order i, f, g, o, or back."""
    i, f, o, g = weight.chunk(4)
    return torch.cat([i, f, g, o])


# %% gate_order tags=["demo"]
torch.manual_seed(0)
B, V, H = 2, 5, 4
i2h, h2h, cell = nn.Linear(V, 4 * H), nn.Linear(H, 4 * H), nn.LSTMCell(V, H)
x, h, c = torch.randn(B, V), torch.randn(B, H), torch.randn(B, H)
expected, _ = char_rnn_step(x, h, c, i2h, h2h)


def cell_difference(change):
    """Give torch's cell the weights, changed so; return the largest difference of h."""
    for name, layer in (("ih", i2h), ("hh", h2h)):
        getattr(cell, f"weight_{name}").data = change(layer.weight.data)
        getattr(cell, f"bias_{name}").data = change(layer.bias.data)
    return (cell(x, (h, c))[0] - expected).abs().max().item()


as_stored, swapped = cell_difference(lambda w: w), cell_difference(swap_last_blocks)
print("blocks       largest difference")
print(f"as stored    {as_stored:.1e}")
print(f"two swapped  {swapped:.1e}")
assert swapped < 1e-6 < 0.1 < as_stored, (swapped, as_stored)

# %% [markdown]
# ## What a temperature divided
#
# Until June 2015 char-rnn divided the hidden state by the temperature, before the decoder. Since
# then it divides the log-probabilities, after it. The two differ by the decoder's bias, which the
# old way left as it was.


# %% old_and_new_temperature
def temperature_before_decoder(hidden, decoder, temperature):
    """Probabilities as char-rnn drew them at first: hidden (B, H) to (B, V)."""
    return decoder(hidden / temperature).softmax(dim=1)


def temperature_after_decoder(hidden, decoder, temperature):
    """Probabilities as char-rnn draws them since: hidden (B, H) to (B, V)."""
    log_probabilities = decoder(hidden).log_softmax(dim=1)
    return (log_probabilities / temperature).softmax(dim=1)


# %% two_temperatures tags=["demo"]
decoder, hidden = nn.Linear(H, 3), torch.randn(1, H)
decoder.bias.data = torch.tensor([1.0, 0.0, -1.0])
print("   T   before the decoder       after it")
shown = []
for temperature in (0.25, 1.0, 4.0):
    both = [
        way(hidden, decoder, temperature)[0].tolist()
        for way in (temperature_before_decoder, temperature_after_decoder)
    ]
    shown.append(max(abs(old - new) for old, new in zip(*both, strict=True)))
    print(f"{temperature:4}   " + "      ".join(" ".join(f"{p:.3f}" for p in row) for row in both))
cold_difference, same_difference, hot_difference = shown
assert same_difference < 1e-6 < 1e-3 < min(cold_difference, hot_difference), shown
nn.init.zeros_(decoder.bias)
without_bias = [
    way(hidden, decoder, 0.25) for way in (temperature_before_decoder, temperature_after_decoder)
]
assert torch.allclose(*without_bias, atol=1e-6), without_bias

# %% [markdown]
# At T = 1 they are the same. So samples of the post, where they name a temperature, may have been
# drawn with the old meaning.
