# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib==3.11.2", "torch==2.13.0"]
#
# [tool.recurrent]
# concept = "long-term memory"
# ///

# %% [markdown]
# # Recalling the first symbol
#
# One symbol, then T distractors, and the question which symbol came first. This tests the claim that ends
# "The Problem of Long-Term Dependencies" in Olah's "Understanding LSTM Networks": LSTMs remember by default.

# %% imports
import math

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
# Axis letters: B batch, T distractors, H hidden (hidden_size).

# %% [markdown]
# ## The task
#
# The first symbol is one of eight, and the distractors come from eight others.


# %% make_batch
SYMBOLS = 8  # of each sort: 0 to 7 to remember, 8 to 15 to ignore


def make_batch(B, T, generator):
    """Draw B sequences: a symbol below SYMBOLS, then T distractors from SYMBOLS up.

    Returns inputs (T + 1, B) and labels (B,), the first row of the inputs, as integers.
    """
    labels = torch.randint(SYMBOLS, (B,), generator=generator)
    distractors = torch.randint(SYMBOLS, 2 * SYMBOLS, (T, B), generator=generator)
    return torch.cat([labels.unsqueeze(0), distractors]), labels  # (T + 1, B), (B,)


# %% [markdown]
# ## The networks
#
# An embedding, one recurrent layer, and a linear read-out of the last hidden state.
# "Forget bias b" means that torch's two biases sum to b in the forget gate; all else stays as drawn.


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


# %% recaller
class Recaller(nn.Module):
    """Names the first symbol of a sequence from the last hidden state.

    kind `nn.RNN`, `nn.GRU` or `nn.LSTM`; forget_bias a number, or None for torch's default.
    Maps inputs (T + 1, B) of integers to logits (B, SYMBOLS).
    """

    def __init__(self, kind, forget_bias=None, H=32):
        super().__init__()
        self.embedding = nn.Embedding(2 * SYMBOLS, H)
        self.recurrent = kind(H, H)
        self.head = nn.Linear(H, SYMBOLS)
        if forget_bias is not None:
            set_forget_bias(self.recurrent, forget_bias)

    def forward(self, inputs):
        hidden, _ = self.recurrent(self.embedding(inputs))  # (T + 1, B, H)
        return self.head(hidden[-1])  # (B, SYMBOLS)


# %% [markdown]
# ## Half open
#
# Before any training: how far open are the forget gates, and how much of a cell state is left
# after 50 distractors? Along the cell state that is the product of the forget gates.


# %% forget_gates
@torch.no_grad()
def forget_gates(model, inputs):
    """Forget gates that a `Recaller` with an LSTM forms: inputs (T + 1, B) to (T + 1, B, H).

    Source: Olah, walk-through, step 1: f_t = σ(W_f [h_{t-1}, x_t] + b_f).
    """
    lstm, x = model.recurrent, model.embedding(inputs)
    h, _ = lstm(x)  # (T + 1, B, H)
    h = torch.cat([torch.zeros_like(h[:1]), h[:-1]])  # h_{t-1} beside x_t
    rows = x @ lstm.weight_ih_l0.T + lstm.bias_ih_l0
    rows = rows + h @ lstm.weight_hh_l0.T + lstm.bias_hh_l0  # (T + 1, B, 4H)
    return torch.sigmoid(rows.chunk(4, dim=-1)[1])


# %% untrained_gates_are_half_open tags=["demo"]
means, left = {}, {}
inputs, _ = make_batch(100, 50, torch.Generator().manual_seed(0))
print("LSTM      mean gate   left after 50")
for name, bias in (("default", None), ("bias 1", 1), ("bias 3", 3), ("bias 5", 5)):
    torch.manual_seed(0)
    f = forget_gates(Recaller(nn.LSTM, bias), inputs)[1:]  # what the distractors do
    means[name], left[name] = f.mean().item(), f.prod(0).median().item()
    print(f"{name:8} {means[name]:10.3f} {left[name]:15.1e}")

default_gate, bias_1_gate, bias_3_gate, bias_5_gate = means.values()
default_left, bias_1_left, bias_3_left, bias_5_left = left.values()
assert abs(default_gate - 0.5) < 0.02, default_gate
assert default_left < 1e-12, default_left
assert bias_5_left > 0.5, bias_5_left

# %% [markdown]
# The default gate is about σ(0), one half, so half of the memory goes at every step.
# With a forget bias of 5 more than half is left at the end.

# %% [markdown]
# ## Training
#
# Every network gets the same number of batches at most, and stops when its loss is small.


# %% train
def train(model, T, seed, steps=300, B=64, lr=3e-3, enough=0.1):
    """Train on fresh batches with Adam until the loss is below enough, or for all the steps.

    Returns the losses in nats, one a step.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    losses = []
    while len(losses) < steps and (not losses or losses[-1] >= enough):
        inputs, labels = make_batch(B, T, generator)
        loss = cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% accuracy
@torch.no_grad()
def accuracy(model, T, B=1000, seed=10**6):
    """Share of B held-out sequences whose first symbol gets the largest logit."""
    inputs, labels = make_batch(B, T, torch.Generator().manual_seed(seed))
    return (model(inputs).argmax(dim=-1) == labels).float().mean().item()


def trained(kind, forget_bias, T, seed):
    """Train a new `Recaller`: returns its held-out accuracy and its losses in nats."""
    torch.manual_seed(seed)
    model = Recaller(kind, forget_bias)
    losses = train(model, T, seed)
    return accuracy(model, T), losses
