# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "parallel scan"
# ///

# %% [markdown]
# # A recurrence without a loop
#
# A gate that does not look at the state makes the recurrence linear in the state. Then all states
# come from a few products over the whole sequence. This goes with sections 2.3 and 3 of Feng et al.
# 2024.

# %% imports
import math
import time

import torch
from torch import nn
from torch.nn.functional import logsigmoid

torch.set_num_threads(1)

# Axes: B batch, T time, D features (input_size), H hidden (hidden_size).


# %% recurrence
def loop(a, b):
    """All states (B, T, H) of h_t = a_t h_{t-1} + b_t from h_0 = 0, one step after the other.

    a, b (B, T, H): what is kept of the state, and what is added to it.
    """
    h, states = torch.zeros_like(b[:, 0]), []  # (B, H)
    for t in range(b.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return torch.stack(states, dim=1)  # (B, T, H)


def scan(a, b):
    """The same states in ceil(log2 T) steps, each over the whole sequence.

    Before a step, (a_t, b_t) sums up the last n inputs: h_t = a_t h_{t-n} + b_t. A step joins each
    with the one n places back, which doubles n. Source: Hillis and Steele 1986.
    """
    n = 1
    while n < b.shape[1]:
        b = torch.cat([b[:, :n], b[:, n:] + a[:, n:] * b[:, :-n]], dim=1)
        a = torch.cat([a[:, :n], a[:, n:] * a[:, :-n]], dim=1)
        n *= 2
    return b


# %% min_gru
class MinGRU(nn.Module):
    """minGRU of Feng et al. 2024, section 3.1: neither gate nor candidate sees the state.

    z_t = sigmoid(W_z x_t), h_t = (1 - z_t) h_{t-1} + z_t W_h x_t. From x (B, T, D) to (B, T, H).
    """

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gate = nn.Linear(input_size, hidden_size)
        self.candidate = nn.Linear(input_size, hidden_size)

    def forward(self, x, run=scan):
        z = self.gate(x).sigmoid()  # (B, T, H)
        return run(1 - z, z * self.candidate(x))


class MinLSTM(nn.Module):
    """minLSTM, section 3.2: a forget and an input gate, scaled so that they add up to one."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.forget = nn.Linear(input_size, hidden_size)
        self.input = nn.Linear(input_size, hidden_size)
        self.candidate = nn.Linear(input_size, hidden_size)

    def forward(self, x, run=scan):
        # As f / (f + i), which is 0 / 0 where both gates are shut as far as the machine can tell.
        f = (logsigmoid(self.forget(x)) - logsigmoid(self.input(x))).sigmoid()  # (B, T, H)
        return run(f, (1 - f) * self.candidate(x))


# %% [markdown]
# ## The same states
#
# Look at the last column: the scan waits for far fewer steps, and its states are those of the loop.

# %% same_states tags=["demo"]
torch.manual_seed(0)
B, D, H = 3, 5, 7
max_error = 0.0
print("   T   loop   scan   difference")
for T in (1, 2, 7, 64, 500):
    x = torch.randn(B, T, D, dtype=torch.float64)
    error = 0.0
    for cell in (MinGRU(D, H).double(), MinLSTM(D, H).double()):
        error = max(error, (cell(x) - cell(x, run=loop)).abs().max().item())
    max_error = max(max_error, error)
    print(f"{T:4d}   {T:4d}   {math.ceil(math.log2(T)):4d}      {error:.0e}")
assert max_error < 1e-12, max_error

# %% [markdown]
# ## Two ways that break
#
# There is a shorter way on paper: with A_t the product of a_1 to a_t, h_t is A_t times the running
# sum of b / A. But A_t soon is smaller than any number the machine has. In logarithms it works, if
# no b is negative: that is why the paper's appendix makes its candidates positive.


# %% closed_form
def closed_form(a, b):
    """The states by a running product and a running sum; breaks where the product underflows."""
    product = a.cumprod(dim=1)  # (B, T, H)
    return product * (b / product).cumsum(dim=1)


def log_scan(log_a, log_b):
    """The logarithms of the states, from those of a and b. Source: Heinsen 2023."""
    log_product = log_a.cumsum(dim=1)  # (B, T, H)
    return log_product + (log_b - log_product).logcumsumexp(dim=1)


# %% in_logarithms tags=["demo"]
torch.manual_seed(0)
T = 500
logits = torch.randn(1, T, 4)  # of the gate z
log_a, log_b = logsigmoid(-logits), logsigmoid(logits) + torch.randn(1, T, 4)
exact = loop(log_a.double().exp(), log_b.double().exp())
naive = closed_form(log_a.exp(), log_b.exp())
first_broken = (~naive.isfinite()).any(dim=-1)[0].nonzero()[0].item() + 1
log_error = (log_scan(log_a, log_b).exp() - exact).abs().max().item()
scan_error = (scan(log_a.exp(), log_b.exp()) - exact).abs().max().item()
print(f"running product: no finite state from step {first_broken} on")
print(f"in logarithms:   largest error {log_error:.0e}")
print(f"scan:            largest error {scan_error:.0e}")
assert first_broken < T / 2, first_broken
assert scan_error < 1e-4, scan_error
assert log_error < 1e-3, log_error

# %% [markdown]
# ## Fewer weights
#
# Without the state in the gates, the square matrices on the state are gone. The more cells there
# are for each feature, the more that is.


# %% weights
def weights(module):
    """Weights of a module, without its biases."""
    return sum(p.numel() for name, p in module.named_parameters() if "bias" not in name)


# %% fewer_weights tags=["demo"]
D = 60
print("cells a            minGRU   minLSTM")
print("feature            of GRU   of LSTM")
gru_share, lstm_share = {}, {}
for factor in (1, 2, 3, 4):
    H = factor * D
    gru_share[factor] = weights(MinGRU(D, H)) / weights(nn.GRU(D, H))
    lstm_share[factor] = weights(MinLSTM(D, H)) / weights(nn.LSTM(D, H))
    print(f"{factor:7d}   {gru_share[factor]:15.1%}   {lstm_share[factor]:7.1%}")
    assert math.isclose(gru_share[factor], 2 / (3 * (1 + factor)))
    assert math.isclose(lstm_share[factor], 3 / (4 * (1 + factor)))
gru_share_1, lstm_share_1 = gru_share[1], lstm_share[1]
gru_share_4, lstm_share_4 = gru_share[4], lstm_share[4]

# %% [markdown]
# ## How much faster
#
# Forward and backward for a batch of eight sequences, on one core. A graphics card would gain more:
# it has thousands of cores for the products, and the loop keeps them waiting. `nn.GRU` is a loop
# too, but one in compiled code.


# %% seconds
def seconds(step, repeats=3):
    """The shortest time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)


# %% speed tags=["demo", "timed"]
torch.manual_seed(0)
B, D, H = 8, 32, 32
least_gain = 3
cell, gru = MinGRU(D, H), nn.GRU(D, H, batch_first=True)
print("         ms            loop       ms")
print("   T   loop   scan   / scan   nn.GRU")
gains = []
for T in (128, 512, 2048):
    x = torch.randn(B, T, D)
    in_loop = seconds(lambda x=x: cell(x, run=loop).sum().backward())
    in_scan = seconds(lambda x=x: cell(x).sum().backward())
    compiled = seconds(lambda x=x: gru(x)[0].sum().backward())
    ms = [1000 * t for t in (in_loop, in_scan, compiled)]
    print(f"{T:4d}   {ms[0]:4.0f}   {ms[1]:4.0f}   {in_loop / in_scan:6.1f}   {ms[2]:6.0f}")
    gains.append(in_loop / in_scan)
assert gains[-1] > least_gain, gains
assert gains[-1] > gains[0], gains
