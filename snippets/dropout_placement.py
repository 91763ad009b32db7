# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "places of dropout"
# ///

# %% [markdown]
# # Where dropout stands in a stack of LSTMs
#
# "Recurrent Neural Network Regularization" by Zaremba, Sutskever and Vinyals (2014) puts dropout in
# L + 1 places of a network with L layers, and nowhere on the links from step to step. TensorFlow's
# tutorial "Recurrent Neural Networks" follows it. The argument of `nn.LSTM` does less.

# %% imports
import warnings

import torch
from torch import nn

torch.set_num_threads(1)
# Axis letters: B batch, T time, D features (input_size), H hidden (hidden_size), L layers.

# %% [markdown]
# ## What the argument does
#
# A network in training draws its dropout anew each time. So two readings of one input differ, if
# there is any dropout at all. First one layer, with dropout of 0.5, then two.


# %% two_readings
def two_readings(num_layers, p, D=8, H=16, T=20, B=10):
    """Read one input twice in training mode with `nn.LSTM(dropout=p)`.

    Returns both outputs (T, B, H) and the messages of the warnings that torch gave.
    """
    torch.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lstm = nn.LSTM(D, H, num_layers, dropout=p)
    x = torch.randn(T, B, D)
    return lstm(x)[0], lstm(x)[0], [str(warning.message) for warning in caught]


# %% what_the_argument_does tags=["demo"]
for num_layers in (1, 2):
    first, second, messages = two_readings(num_layers, 0.5)
    print(f"layers: {num_layers}")
    print(f"  two readings are equal: {torch.equal(first, second)}")
    print(f"  share of zeros in the output: {(first == 0).double().mean():.3f}")
    print(f"  warnings: {len(messages)}")
    assert torch.equal(first, second) == (num_layers == 1)
    assert (first != 0).all()
    assert len(messages) == (num_layers == 1), messages
    assert all("dropout option adds dropout after all but last" in text for text in messages)

# %% [markdown]
# With one layer it does nothing, and all that tells you is a warning: dropout stands after all
# layers but the last, and here the last is the only one. With two it stands between them. The
# output of the top layer has no zeros in either case: what the decoder reads is never dropped.
#
# ## All L + 1 places
#
# `nn.Dropout` before and after completes it.


# %% zaremba_lstm
class ZarembaLSTM(nn.Module):
    """An `nn.LSTM` with dropout before, between and after its layers.

    Maps x (T, B, D) and a state to outputs (T, B, H) and a state.
    """

    def __init__(self, input_size, hidden_size, num_layers, p):
        super().__init__()
        between = p if num_layers > 1 else 0.0
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, dropout=between)
        self.dropout = nn.Dropout(p)

    def forward(self, x, state=None):
        outputs, state = self.lstm(self.dropout(x), state)
        return self.dropout(outputs), state


# %% [markdown]
# Now the output has zeros. How many? What is kept is divided by 1 - p, so that its mean stays, and
# nothing needs to be changed when training is over.

# %% all_places tags=["demo"]
torch.manual_seed(0)
p, x = 0.65, torch.randn(50, 20, 8)
network = ZarembaLSTM(8, 16, num_layers=1, p=p)
outputs, _ = network(x)
share_of_zeros = (outputs == 0).double().mean().item()
kept = network.dropout(torch.ones(50, 20, 8))
mean_kept = kept.mean().item()
print(f"share of zeros in the output   {share_of_zeros:.3f}   (p = {p})")
print(f"values that a 1 becomes        {', '.join(f'{v:.3f}' for v in kept.unique())}")
print(f"mean of what ones become       {mean_kept:.3f}")
assert abs(share_of_zeros - p) < 0.02, share_of_zeros
assert abs(kept.max().item() - 1 / (1 - p)) < 1e-6, kept.max()
assert abs(mean_kept - 1) < 0.05, mean_kept
network.eval()
assert torch.equal(network(x)[0], network.lstm(x)[0])

# %% [markdown]
# ## A new mask for each step
#
# `nn.Dropout` leaves out other units at every step, as Zaremba's program does. Later work, by Gal
# and Ghahramani (2016), keeps one mask for all steps of a sequence. That is often called
# variational or locked dropout.


# %% locked_dropout
def locked_dropout(x, p):
    """Return x (T, B, H) with dropout of share p, the same units being left out at all T steps."""
    return x * nn.functional.dropout(torch.ones_like(x[:1]), p)


# %% one_mask_or_many tags=["demo"]
torch.manual_seed(0)
ones = torch.ones(6, 1, 24)
masks = {"a new mask at each step": nn.Dropout(0.5)(ones), "one mask": locked_dropout(ones, 0.5)}
for name, mask in masks.items():
    print(f"{name}: a row is a step, a column a unit")
    for step in mask[:, 0]:
        print("   " + "".join("#" if value else "." for value in step))
new, locked = masks.values()
assert torch.equal(locked, locked[:1].expand_as(locked))
assert all(not torch.equal(new[t], new[t + 1]) for t in range(5))

# %% [markdown]
# ## Why not on the recurrent links
#
# The paper's argument: what an input says must pass dropout on its way to the output. If it meets
# dropout L + 1 times, however long ago it was, then memory does not suffer. To count, let each
# place of dropout multiply by s = 1/2, and all else change nothing. Then the last output changes by
# s to the power of the places passed, and its gradient tells how many they are.


# %% places_passed
def places_passed(T, L, recurrent=False):
    """Return how many places of dropout lie between the input of each step and the last output.

    For T steps and L layers, by the shortest way, (T,). With `recurrent`, dropout also stands on
    the links from step to step.
    """
    s = 0.5
    x = torch.zeros(T, dtype=torch.double, requires_grad=True)
    below = [value * s for value in x]
    for layer in range(L):
        # Only the top layer keeps what it is told, so that there is one way and no sum of many.
        keep = (s if recurrent else 1.0) * (layer == L - 1)
        state, above = x.new_zeros(()), []
        for value in below:
            state = keep * state + value
            above.append(state * s)
        below = above
    below[-1].backward()
    return (-x.grad.log2()).round().long().tolist()


# %% count_places tags=["demo"]
T, L = 9, 2
away_from_time, on_the_links = places_passed(T, L), places_passed(T, L, recurrent=True)
print(f"places of dropout on the way to the last output, L = {L}")
print("steps ago        " + "".join(f"{T - 1 - t:4d}" for t in range(T)))
print("as in the paper  " + "".join(f"{n:4d}" for n in away_from_time))
print("on every link    " + "".join(f"{n:4d}" for n in on_the_links))
assert away_from_time == [L + 1] * T
assert on_the_links == [L + 1 + T - 1 - t for t in range(T)]

once_in = [2 ** counts[0] for counts in (away_from_time, on_the_links)]
print("\nA number from the first step comes through, with p = 0.5,")
print(
    "once in {:,} times as in the paper, once in {:,} with dropout on every link".format(*once_in)
)

# %% [markdown]
# As in the paper, the count is L + 1 for any distance. With dropout on the links as well, each step
# back adds one, and what is far back hardly ever comes through.
