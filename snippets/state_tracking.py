# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "numpy>=1.26", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "state tracking"
# ///

# %% [markdown]
# # What a gate that ignores the state cannot follow
#
# Whether the bits so far hold an odd number of ones is a single bit to remember. An LSTM learns it
# from short sequences and keeps it up. Layers of minGRU learn some steps of it. This goes with the
# price of the simplification in Feng et al. 2024, section 3.

# %% imports
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

torch.set_num_threads(1)

# Axes: B batch, T time, D features, H hidden.


# %% models
def scan(a, b):
    """All states (B, T, H) of h_t = a_t h_{t-1} + b_t from zero, by doubling; see parallel_scan."""
    n = 1
    while n < b.shape[1]:
        b = torch.cat([b[:, :n], b[:, n:] + a[:, n:] * b[:, :-n]], dim=1)
        a = torch.cat([a[:, :n], a[:, n:] * a[:, :-n]], dim=1)
        n *= 2
    return b


class MinGRU(nn.Module):
    """minGRU of Feng et al. 2024, from x (B, T, D) to its states (B, T, H)."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gate = nn.Linear(input_size, hidden_size)
        self.candidate = nn.Linear(input_size, hidden_size)

    def forward(self, x):
        z = self.gate(x).sigmoid()
        return scan(1 - z, z * self.candidate(x))


class Tagger(nn.Module):
    """A logit for each bit (B, T), from an LSTM (0 layers) or from so many layers of minGRU."""

    def __init__(self, num_layers, hidden_size):
        super().__init__()
        sizes = [1] + [hidden_size] * (num_layers - 1)
        self.lstm = None if num_layers else nn.LSTM(1, hidden_size, batch_first=True)
        self.layers = nn.ModuleList([MinGRU(size, hidden_size) for size in sizes[:num_layers]])
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, bits):
        x = bits.unsqueeze(-1)  # (B, T, 1)
        if self.lstm:
            x, _ = self.lstm(x)
        for layer in self.layers:
            x = layer(x)
        return self.output(x).squeeze(-1)  # (B, T)


# %% task
def parity(bits):
    """1 where the bits (B, T) up to there hold an odd number of ones, else 0."""
    return bits.cumsum(dim=1) % 2


def random_bits(B, T):
    return torch.randint(0, 2, (B, T)).float()


# %% training
def train(num_layers, seed, length=16, hidden_size=32, steps=500, lr=1e-2):
    """A tagger trained on random bits of one length."""
    torch.manual_seed(seed)
    model = Tagger(num_layers, hidden_size)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    for _ in range(steps):
        bits = random_bits(64, length)
        loss = binary_cross_entropy_with_logits(model(bits), parity(bits))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model


@torch.no_grad()
def accuracy(model, length, B=1000):
    """The share of right answers at each step (T,), over random bits."""
    torch.manual_seed(1)
    bits = random_bits(B, length)
    right = (model(bits) > 0) == (parity(bits) > 0)
    return right.float().mean(dim=0)


# %% [markdown]
# ## Trained on 16 bits, asked for 64
#
# Three runs each. Guessing gives one half. Look at the step where a network begins to guess, and at
# what happens beyond the length it has seen.

# %% accuracies tags=["demo"]
LENGTH, LONGER, SEEDS = 16, 64, (0, 1, 2)
names = {0: "LSTM", 1: "minGRU", 2: "minGRU, 2 layers", 3: "minGRU, 3 layers"}
curves = {  # name: (seed, step)
    name: np.stack([accuracy(train(layers, seed), LONGER).numpy() for seed in SEEDS])
    for layers, name in names.items()
}


def followed(curve):
    """Steps from the start with at least 95% right."""
    wrong = np.flatnonzero(curve < 0.95)
    return int(wrong[0]) if len(wrong) else len(curve)


print("                     right, %    bits")
print("                  at 16  at 64   followed")
for name, runs in curves.items():
    ends = [f"{100 * runs[:, t - 1].mean():3.0f}" for t in (LENGTH, LONGER)]
    steps = ", ".join(str(followed(run)) for run in runs)
    print(f"{name:17} {ends[0]:>5}  {ends[1]:>5}   {steps}")

# %% follows tags=["demo"]
bits_followed = {name: [followed(run) for run in runs] for name, runs in curves.items()}
lstm_bits = min(bits_followed["LSTM"])
most_1, most_2, most_3 = (max(bits_followed[names[layers]]) for layers in (1, 2, 3))
end_best = max(float(curves[names[layers]][:, -1].max()) for layers in (1, 2, 3))
assert lstm_bits == LONGER, bits_followed
assert most_1 < most_2 < most_3 < LENGTH, bits_followed
assert end_best < 0.6, end_best

# %% by_position tags=["demo"] alt="Share of right answers by the number of the bit, 1 to 64. The LSTM stays at 100 percent. The three stacks of minGRU fall to one half, one layer within a few bits, three layers later, all before bit 16."
fig, ax = plt.subplots()
steps = np.arange(1, LONGER + 1)
for (name, runs), style in zip(curves.items(), ("-", ":", "--", "-."), strict=True):
    ax.plot(steps, 100 * runs.mean(axis=0), style, label=name)
ax.axvline(LENGTH, linewidth=0.8)
ax.text(LENGTH + 1, 76, "longer than\nin training", fontsize=10, va="center")
ax.set(xlabel="bit", ylabel="right answers, %", ylim=(40, 104))
ax.legend(loc="center right", fontsize=10)
plt.show()

# %% [markdown]
# ## Why no training helps
#
# Feed one layer nothing but ones. Its gate and its candidate then are the same at every step, so a
# cell goes from where it is towards one value, by the same factor each time: after k ones the logit
# is a constant plus a sum of H powers, c_h a_h^k with every a_h above zero. Such a sum changes its
# sign at most H times (Descartes' rule of signs, for powers). The parity changes with every k. So
# one layer of H cells, with whatever weights, is wrong somewhere on a run of H + 2 ones.


# %% sign_changes
def sign_changes(values):
    """How often a sequence changes its sign."""
    return int((np.sign(values[1:]) != np.sign(values[:-1])).sum())


def logits_on_ones(layer, output, length):
    """The logits (T,) of one layer of minGRU along `length` ones."""
    with torch.no_grad():
        return output(layer(torch.ones(1, length, 1).double()))[0, :, 0].numpy()


def made_to_order(hidden_size):
    """One layer that is right as long as its cells allow: on hidden_size + 1 ones in a row."""
    layer = MinGRU(1, hidden_size).double()
    output = nn.Linear(hidden_size, 1).double()
    keep = torch.linspace(0.1, 0.9, hidden_size).double()  # 1 - z on a one
    with torch.no_grad():
        layer.gate.weight.zero_()
        layer.gate.bias.copy_(torch.log((1 - keep) / keep))
        layer.candidate.weight.fill_(1.0)
        layer.candidate.bias.zero_()
        states = layer(torch.ones(1, hidden_size + 1, 1).double())[0]  # (T, H)
        wanted = torch.tensor([-((-1.0) ** k) for k in range(1, hidden_size + 2)]).double()
        columns = torch.cat([states, torch.ones(len(states), 1).double()], dim=1)
        solution = torch.linalg.solve(columns, wanted)
        output.weight.copy_(solution[None, :-1])
        output.bias.copy_(solution[-1:])
    return layer, output


# %% at_most_h tags=["demo"]
torch.manual_seed(0)
LONG = 60
print("        made to   most of 300")
print("cells   order     at random     parity")
for H in (1, 2, 4, 6):
    built = sign_changes(logits_on_ones(*made_to_order(H), LONG))
    at_random = []
    for _ in range(300):
        layer, output = MinGRU(1, H).double(), nn.Linear(H, 1).double()
        for parameter in (*layer.parameters(), *output.parameters()):
            nn.init.normal_(parameter, std=3)
        at_random.append(sign_changes(logits_on_ones(layer, output, LONG)))
    print(f"{H:5d}   {built:5d}   {max(at_random):11d}   {LONG - 1:8d}")
    assert built == H, (H, built)
    assert max(at_random) <= H, (H, at_random)

# %% [markdown]
# ## Why one cell of an LSTM is enough
#
# Its candidate reads the state, so it can be "the other way round": minus the sign of h. On a one
# the forget gate closes and the input gate opens; on a zero it is the reverse. These weights are
# written down, not learned.


# %% flip_flop
def flip_flop(strength=20.0):
    """An LSTM of one cell whose h is above zero where the ones so far are odd in number."""
    lstm = nn.LSTM(1, 1, batch_first=True)
    on_x = torch.tensor([1.0, -1.0, 0.0, 0.0])  # of i, f, g, o
    on_h = torch.tensor([0.0, 0.0, -1.0, 0.0])
    bias = torch.tensor([-0.5, 0.5, 0.0, 1.0])
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(strength * on_x[:, None])
        lstm.weight_hh_l0.copy_(strength * on_h[:, None])
        lstm.bias_ih_l0.copy_(strength * bias)
        lstm.bias_hh_l0.zero_()
    return lstm


# %% one_cell tags=["demo"]
torch.manual_seed(0)
bits = random_bits(100, 2000)
even = torch.full((1, 100, 1), -0.7)  # "none so far": the state before the first bit
states, _ = flip_flop()(bits.unsqueeze(-1), (even, even))
one_cell_right = ((states.squeeze(-1) > 0) == (parity(bits) > 0)).float().mean().item()
print(f"one cell, 100 sequences of 2,000 bits: {one_cell_right:.0%} right")
assert one_cell_right == 1.0, one_cell_right
