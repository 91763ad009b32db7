# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "long-term memory"
# ///

# %% [markdown]
# # Recalling the first symbol
#
# One symbol, then T distractors, and the question which symbol came first. The section "LSTM
# Networks" of Olah's "Understanding LSTM Networks" takes long memory for an LSTM's default.

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
# "Forget bias b" means that torch's two biases sum to b in the forget gate.
# All else stays as torch draws it.


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
# The default gate is about σ(0), one half, so about half of the memory goes at every step.
# With a forget bias of 5 more than half is left at the end.

# %% [markdown]
# ## Training
#
# Fresh batches at every step. Training stops when the loss is small, or when the steps run out.


# %% train
def train(model, T, seed, B, steps=300, lr=3e-3, enough=0.1):
    """Train on fresh batches of B with Adam, until the loss is below enough or for all the steps.

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


def trained(kind, forget_bias, T, seed, B=64):
    """Train a new `Recaller` on batches of B: returns held-out accuracy and losses in nats."""
    torch.manual_seed(seed)
    model = Recaller(kind, forget_bias)
    losses = train(model, T, seed, B)
    return accuracy(model, T), losses


# %% [markdown]
# ## Short gaps
#
# Accuracy on held-out sequences, one seed. Guessing gets one in eight. To keep the run short,
# only the LSTMs go on from T = 10 to T = 20. Look at what becomes of the default.

# %% short_gaps tags=["demo"]
chance = 1 / SYMBOLS
networks = {"RNN": (nn.RNN, None), "GRU": (nn.GRU, None), "LSTM default": (nn.LSTM, None)}
networks |= {f"LSTM bias {bias}": (nn.LSTM, bias) for bias in (1, 3, 5)}
at_10 = {name: trained(*network, T=10, seed=0)[0] for name, network in networks.items()}
lstms = [name for name in networks if name.startswith("LSTM")]
at_20 = {name: trained(*networks[name], T=20, seed=0)[0] for name in lstms}

print("network         T=10    T=20")
for name, share in at_10.items():
    further = f"{at_20[name]:7.2f}" if name in at_20 else "      -"
    print(f"{name:12} {share:7.2f} {further}")

rnn_at_10, gru_at_10, default_at_10, bias_1_at_10, bias_3_at_10, bias_5_at_10 = at_10.values()
default_at_20, bias_1_at_20, bias_3_at_20, bias_5_at_20 = at_20.values()
assert default_at_10 > 0.4, at_10
assert min(bias_1_at_10, bias_3_at_10, bias_5_at_10) >= 0.95, at_10
assert default_at_20 <= 0.3, at_20
assert default_at_20 + 0.05 < bias_1_at_20 < bias_3_at_20 - 0.02, at_20
assert min(bias_3_at_20, bias_5_at_20) >= 0.95, at_20

# %% [markdown]
# At T = 10 every LSTM learns. At T = 20 the default one guesses, a bias of 1 does somewhat better,
# and a bias of 3 or 5 recalls the symbol. Only the first value of the forget bias differs.

# %% [markdown]
# ## Fifty distractors
#
# The default against a forget bias of 5, each with three seeds. To save time, the batches are half
# as large as before, for both.

# %% three_seeds_at_50 tags=["demo"]
runs_default = [trained(nn.LSTM, None, T=50, seed=seed, B=32) for seed in range(3)]
runs_bias_5 = [trained(nn.LSTM, 5, T=50, seed=seed, B=32) for seed in range(3)]
print("             default          bias 5")
print("seed   accuracy  steps  accuracy  steps")
for seed, runs in enumerate(zip(runs_default, runs_bias_5, strict=True)):
    columns = (f"{share:9.2f} {len(losses):7d}" for share, losses in runs)
    print(f"{seed:4d} " + " ".join(columns))

default_best_at_50 = max(share for share, _ in runs_default)
bias_5_worst_at_50 = min(share for share, _ in runs_bias_5)
default_least_steps = min(len(losses) for _, losses in runs_default)
bias_5_most_steps = max(len(losses) for _, losses in runs_bias_5)
assert default_best_at_50 <= 0.3, runs_default
assert bias_5_worst_at_50 >= 0.95, runs_bias_5
assert bias_5_most_steps < default_least_steps == 300, (bias_5_most_steps, default_least_steps)

# %% [markdown]
# On each seed the default guesses to the end, and the bias of 5 is done before its steps run out.

# %% loss_at_50 tags=["demo"] alt="Training loss against step at T = 50, three seeds each. The default LSTM stays level at ln 8, the loss of guessing, for all steps. With forget bias 5 the loss of each seed falls to near zero and training stops early."
guessing_loss = math.log(SYMBOLS)
for (_, stuck), (_, learning) in zip(runs_default, runs_bias_5, strict=True):
    plt.plot(stuck, color="C0", linestyle=":")
    plt.plot(learning, color="C0", linestyle="-")
plt.axhline(guessing_loss, color="gray", linewidth=1)
plt.text(300, guessing_loss + 0.12, "guessing: ln 8", ha="right")
plt.text(300, guessing_loss - 0.12, "default (dotted)", ha="right", va="top")
plt.text(160, 0.8, "forget bias 5")
plt.xlim(0, 300)
plt.ylim(0, 2.6)
plt.xlabel("training step")
plt.ylabel("loss (nats)")
plt.show()
default_last_loss = min(sum(losses[-20:]) / 20 for _, losses in runs_default)
assert abs(default_last_loss - guessing_loss) < 0.1, default_last_loss

# %% [markdown]
# "Remembering by default" is false for the LSTM that torch builds by default: it starts out by
# about halving its memory at every step. An LSTM can learn to remember for long, here with a
# forget bias of 5. Gers et al. (2000) and Jozefowicz et al. (2015) advise a bias of 1 or more.
