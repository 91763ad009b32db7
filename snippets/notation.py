# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "notation"
# ///

# %% [markdown]
# # Four notations, one network
#
# Olah, Karpathy, Zaremba and Graves write the same networks with other letters. Each function here
# is one source's equations in that source's letters, and each is held against torch.

# %% imports
import torch
from torch import nn, sigmoid, tanh

torch.set_num_threads(1)
# Axis letters: B batch, T time, U labels, V vocabulary, D features (input_size), H hidden.

# %% [markdown]
# ## Olah
#
# One matrix a gate, and it acts on [h, x]: the state first, then the input.


# %% olah_step
def olah_step(x, h, C, W_f, W_i, W_C, W_o, b_f, b_i, b_C, b_o):
    """One step of Olah's LSTM: the new h and C, (B, H) each.

    x (B, D); h, C (B, H); each W (H, H + D), each b (H,).
    Source: "Understanding LSTM Networks", step-by-step walk through.
    """
    hx = torch.cat([h, x], dim=1)  # (B, H + D)
    f, i = sigmoid(hx @ W_f.T + b_f), sigmoid(hx @ W_i.T + b_i)
    C_tilde = tanh(hx @ W_C.T + b_C)
    C = f * C + i * C_tilde
    o = sigmoid(hx @ W_o.T + b_o)
    return o * tanh(C), C


def olah_weights(lstm):
    """W_f, W_i, W_C, W_o, b_f, b_i, b_C, b_o of an `nn.LSTM` of one layer."""
    whole = torch.cat([lstm.weight_hh_l0, lstm.weight_ih_l0], dim=1)  # (4H, H + D)
    i, f, g, o = whole.chunk(4)
    b_i, b_f, b_g, b_o = (lstm.bias_ih_l0 + lstm.bias_hh_l0).chunk(4)
    return f, i, g, o, b_f, b_i, b_g, b_o


# %% [markdown]
# ## Karpathy
#
# A plain network: W_xh from the input, W_hh from the state, W_hy to the scores. The post has no
# biases; his numpy program has bh and by.


# %% karpathy_step
def karpathy_step(x, h, W_xh, W_hh, W_hy, bh, by):
    """One step of Karpathy's network: the new h (B, H) and the scores y (B, V).

    x (B, D); h (B, H); W_xh (H, D); W_hh (H, H); W_hy (V, H); bh (H,); by (V,).
    Source: "The Unreasonable Effectiveness of Recurrent Neural Networks", and min-char-rnn.
    """
    h = tanh(h @ W_hh.T + x @ W_xh.T + bh)
    return h, h @ W_hy.T + by


# %% [markdown]
# ## Zaremba
#
# One affine map for all four: from the layer below and the step before, 2n numbers, to 4n. It
# needs inputs as wide as the state. The order is i, f, o, g in the paper, as others report it.


# %% zaremba_step
def zaremba_step(h_below, h_before, c, T_map, bias):
    """One step of one layer: the new h and c, (B, n) each.

    h_below, h_before, c (B, n); T_map (4n, 2n), its columns for the layer below first; bias (4n,).
    Source: "Recurrent Neural Network Regularization", section 3, without dropout (second-hand).
    """
    i, f, o, g = (torch.cat([h_below, h_before], dim=1) @ T_map.T + bias).chunk(4, dim=1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def zaremba_weights(lstm):
    """The map and the bias of an `nn.LSTM` whose inputs are as wide as its state."""
    whole = torch.cat([lstm.weight_ih_l0, lstm.weight_hh_l0], dim=1)  # (4n, 2n)
    i, f, g, o = whole.chunk(4)
    b_i, b_f, b_g, b_o = (lstm.bias_ih_l0 + lstm.bias_hh_l0).chunk(4)
    return torch.cat([i, f, o, g]), torch.cat([b_i, b_f, b_o, b_g])


# %% [markdown]
# ## Graves
#
# A matrix for each pair, named from where to where, and peepholes from the cells. A peephole is a
# diagonal matrix, so a vector does.


# %% graves_step
def graves_step(x, h, c, W, b):
    """One step of Graves's LSTM with peepholes: the new h and c, (B, H) each.

    x (B, D); h, c (B, H). W by name: xi, xf, xc, xo (H, D), hi, hf, hc, ho (H, H), and the
    diagonals ci, cf, co (H,). b by name: i, f, c, o (H,). The output gate sees the new c.
    Source: "Speech Recognition with Deep Recurrent Neural Networks", section 2.
    """
    i = sigmoid(x @ W["xi"].T + h @ W["hi"].T + W["ci"] * c + b["i"])
    f = sigmoid(x @ W["xf"].T + h @ W["hf"].T + W["cf"] * c + b["f"])
    c = f * c + i * tanh(x @ W["xc"].T + h @ W["hc"].T + b["c"])
    o = sigmoid(x @ W["xo"].T + h @ W["ho"].T + W["co"] * c + b["o"])
    return o * tanh(c), c


def graves_weights(lstm):
    """W and b of an `nn.LSTM` of one layer: the peepholes are zero, for torch has none."""
    W = dict.fromkeys(("ci", "cf", "co"), torch.zeros(lstm.hidden_size))
    b = {}
    total = lstm.bias_ih_l0 + lstm.bias_hh_l0
    rows = [part.chunk(4) for part in (lstm.weight_ih_l0, lstm.weight_hh_l0, total)]
    for name, from_input, from_state, bias in zip("ifco", *rows, strict=True):
        W |= {f"x{name}": from_input, f"h{name}": from_state}
        b[name] = bias
    return W, b


# %% run
def run(step, xs, *state):
    """The outputs (T, B, H) of a step over xs (T, B, D); a step returns h first."""
    outputs = []
    for x in xs:
        state = step(x, *state)
        outputs.append(state[0])
    return torch.stack(outputs)


# %% [markdown]
# ## All four against torch
#
# Random weights, random inputs, double precision.

# %% all_four_against_torch tags=["demo"]
torch.set_default_dtype(torch.double)
torch.manual_seed(0)
T, B, D, H, V = 20, 3, 5, 5, 7
xs, zeros = torch.randn(T, B, D), torch.zeros(B, H)
lstm, rnn, to_scores = nn.LSTM(D, H), nn.RNN(D, H), nn.Linear(H, V)
with torch.no_grad():
    for parameter in (*lstm.parameters(), *rnn.parameters()):
        parameter.normal_()
    expected, plain = lstm(xs)[0], rnn(xs)[0]
    olah, zaremba, graves = olah_weights(lstm), zaremba_weights(lstm), graves_weights(lstm)
    bh = rnn.bias_ih_l0 + rnn.bias_hh_l0
    karpathy = (rnn.weight_ih_l0, rnn.weight_hh_l0, to_scores.weight, bh, to_scores.bias)
    h, states, scores = zeros, [], []
    for x in xs:
        h, y = karpathy_step(x, h, *karpathy)
        states.append(h)
        scores.append(y)
    differences = {
        "Olah": run(lambda x, h, C: olah_step(x, h, C, *olah), xs, zeros, zeros) - expected,
        "Karpathy, h": torch.stack(states) - plain,
        "Karpathy, y": torch.stack(scores) - to_scores(plain),
        "Zaremba": run(lambda x, h, c: zaremba_step(x, h, c, *zaremba), xs, zeros, zeros)
        - expected,
        "Graves": run(lambda x, h, c: graves_step(x, h, c, *graves), xs, zeros, zeros) - expected,
    }
largest = {name: difference.abs().max().item() for name, difference in differences.items()}
print("notation      largest difference")
for name, value in largest.items():
    print(f"{name:14} {value:.1e}")
largest_difference = max(largest.values())
assert largest_difference < 1e-12, largest

# %% [markdown]
# The letters differ, the network does not.
#
# ## What differs in more than letters
#
# Three traps. Zaremba's map with the rows in torch's order. Peepholes that are not zero. And the
# output gate that looks at the old cell instead of the new one, as the other gates do.

# %% not_the_same tags=["demo"]
with torch.no_grad():
    i, f, o, g = zaremba[0].chunk(4)
    unswapped = torch.cat([i, f, g, o]), zaremba[1]
    swapped = run(lambda x, h, c: zaremba_step(x, h, c, *unswapped), xs, zeros, zeros)
    W, b = graves
    looking = {**W, **{name: torch.full((H,), 0.5) for name in ("ci", "cf", "co")}}
    peeping = run(lambda x, h, c: graves_step(x, h, c, looking, b), xs, zeros, zeros)

    def old_cell_step(x, h, c):
        """Graves's step, but the output gate sees the old c."""
        o = sigmoid(x @ looking["xo"].T + h @ looking["ho"].T + looking["co"] * c + b["o"])
        _, c = graves_step(x, h, c, looking, b)
        return o * tanh(c), c

    old_cell = run(old_cell_step, xs, zeros, zeros)
traps = {
    "rows in another order": swapped - expected,
    "peepholes of 0.5": peeping - expected,
    "old cell in o": old_cell - peeping,
}
print("trap                    difference")
for name, difference in traps.items():
    print(f"{name:24} {difference.abs().max().item():.2f}")
smallest_trap = min(difference.abs().max().item() for difference in traps.values())
assert smallest_trap > 0.05, smallest_trap

# %% [markdown]
# None of them raises an error.
#
# ## Shapes
#
# What torch stores and takes, for one layer and then for two layers in both directions.

# %% shapes_of_torch tags=["demo"]
B, T, U, V, D, H = 2, 7, 3, 6, 4, 5
lstm = nn.LSTM(D, H)
output, (h_n, c_n) = lstm(torch.randn(T, B, D))
deep = nn.LSTM(D, H, num_layers=2, bidirectional=True)
deep_output, (deep_h, deep_c) = deep(torch.randn(T, B, D))
batch_first = nn.LSTM(D, H, batch_first=True)
first_output, (first_h, _) = batch_first(torch.randn(B, T, D))
projected = nn.LSTM(D, H, proj_size=2)
projected_output, (projected_h, projected_c) = projected(torch.randn(T, B, D))

expected_shapes = {
    "weight_ih_l0 (4H, D)": (lstm.weight_ih_l0, (4 * H, D)),
    "weight_hh_l0 (4H, H)": (lstm.weight_hh_l0, (4 * H, H)),
    "bias_ih_l0 (4H,)": (lstm.bias_ih_l0, (4 * H,)),
    "output (T, B, H)": (output, (T, B, H)),
    "h_n (1, B, H)": (h_n, (1, B, H)),
    "c_n (1, B, H)": (c_n, (1, B, H)),
    "GRU weight_ih_l0 (3H, D)": (nn.GRU(D, H).weight_ih_l0, (3 * H, D)),
    "RNN weight_ih_l0 (H, D)": (nn.RNN(D, H).weight_ih_l0, (H, D)),
    "2 layers, 2 ways: output (T, B, 2H)": (deep_output, (T, B, 2 * H)),
    "its h_n (4, B, H)": (deep_h, (4, B, H)),
    "its weight_ih_l1 (4H, 2H)": (deep.weight_ih_l1, (4 * H, 2 * H)),
    "batch first: output (B, T, H)": (first_output, (B, T, H)),
    "its h_n, as before (1, B, H)": (first_h, (1, B, H)),
    "proj_size 2: output (T, B, 2)": (projected_output, (T, B, 2)),
    "its c_n (1, B, H)": (projected_c, (1, B, H)),
}
for name, (tensor, shape) in expected_shapes.items():
    print(name)
    assert tuple(tensor.shape) == shape, (name, tensor.shape)

log_probs = torch.randn(T, B, V).log_softmax(dim=2)
targets = torch.randint(1, V, (B, U))
lengths = torch.full((B,), T), torch.full((B,), U)
each = nn.functional.ctc_loss(log_probs, targets, *lengths, blank=0, reduction="none")
assert each.shape == (B,)
assert torch.equal(output[-1], h_n[0])
# Of two ways, the last state of the second is at the first step.
assert torch.equal(deep_output[-1, :, :H], deep_h[2])
assert torch.equal(deep_output[0, :, H:], deep_h[3])

# %% [markdown]
# `output` has the top layer at every step, `h_n` every layer at its last step. The way back ends at
# the first step, so that is where its last state stands in `output`.
