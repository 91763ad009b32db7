# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "the LSTM cell"
# ///

# %% [markdown]
# # One LSTM step, gate by gate
#
# The six equations of the "Step-by-Step LSTM Walk Through" in Christopher Olah's
# "Understanding LSTM Networks", in his names, checked against `torch.nn.LSTMCell`.

# %% imports
import torch

torch.set_num_threads(1)
# Axis letters: B batch, D features (input_size), H hidden (hidden_size).
# Olah's names: hx is [h_{t-1}, x_t], C_tilde is C̃_t, which torch calls g.

# %% [markdown]
# ## The walk-through
#
# First, decide what to keep of the old cell state. 1 keeps a cell, 0 clears it.


# %% forget_gate
def forget_gate(hx, W_f, b_f):
    """Say how much of each cell of the old state to keep.

    hx (B, H+D), W_f (H, H+D), b_f (H,). Returns f_t (B, H), each value in (0, 1).
    Source: Olah, walk-through, step 1: f_t = σ(W_f · [h_{t-1}, x_t] + b_f).
    """
    return torch.sigmoid(hx @ W_f.T + b_f)  # (B, H)


# %% [markdown]
# Second, decide what to write: how much, and which value.


# %% input_gate
def input_gate(hx, W_i, b_i):
    """Say how much to write to each cell.

    hx (B, H+D), W_i (H, H+D), b_i (H,). Returns i_t (B, H), each value in (0, 1).
    Source: Olah, walk-through, step 2: i_t = σ(W_i · [h_{t-1}, x_t] + b_i).
    """
    return torch.sigmoid(hx @ W_i.T + b_i)  # (B, H)


def candidate(hx, W_C, b_C):
    """Propose a value to write to each cell.

    hx (B, H+D), W_C (H, H+D), b_C (H,). Returns C̃_t (B, H), each value in (-1, 1).
    Source: Olah, walk-through, step 2: C̃_t = tanh(W_C · [h_{t-1}, x_t] + b_C).
    """
    return torch.tanh(hx @ W_C.T + b_C)  # (B, H)


# %% [markdown]
# Third, do both. This line has no weights of its own.


# %% state_update
def state_update(C, f, i, C_tilde):
    """Keep part of the old cell state and add part of the candidate.

    C, f, i, C_tilde, all (B, H). Returns C_t (B, H), not bounded.
    Source: Olah, walk-through, step 3: C_t = f_t * C_{t-1} + i_t * C̃_t.
    """
    return f * C + i * C_tilde


# %% [markdown]
# Fourth, decide which cells to show to the outside and to the next step.


# %% output_gate
def output_gate(hx, W_o, b_o):
    """Say how much of each cell to show.

    hx (B, H+D), W_o (H, H+D), b_o (H,). Returns o_t (B, H), each value in (0, 1).
    Source: Olah, walk-through, step 4: o_t = σ(W_o · [h_{t-1}, x_t] + b_o).
    """
    return torch.sigmoid(hx @ W_o.T + b_o)  # (B, H)


def hidden_state(o, C):
    """Show the cell state, squashed and gated.

    o, C, both (B, H). Returns h_t (B, H), each value in (-1, 1).
    Source: Olah, walk-through, step 4: h_t = o_t * tanh(C_t).
    """
    return o * torch.tanh(C)


# %% [markdown]
# The whole step is these functions in order. Two things go on to the next step: h_t and C_t.


# %% lstm_step
def lstm_step(x, h, C, gates):
    """Take one LSTM step.

    x (B, D), h and C (B, H); gates maps "f", "i", "g", "o" to a weight (H, H+D) and a bias
    (H,), as `concatenated_gates` makes them. Returns h_t and C_t, both (B, H).
    Source: Olah, "Step-by-Step LSTM Walk Through", all six equations.
    """
    hx = torch.cat([h, x], dim=-1)  # (B, H+D)
    f = forget_gate(hx, *gates["f"])
    i = input_gate(hx, *gates["i"])
    C_tilde = candidate(hx, *gates["g"])
    C = state_update(C, f, i, C_tilde)
    o = output_gate(hx, *gates["o"])
    return hidden_state(o, C), C


# %% [markdown]
# ## From torch's weights to Olah's
#
# Torch stacks the four gates in one matrix for x and one for h, each with its own bias.
# Olah draws one matrix and one bias for each gate.


# %% concatenated_gates
def concatenated_gates(weight_ih, weight_hh, bias_ih, bias_hh, order="ifgo"):
    """Cut torch's split weights into one weight and one bias for each gate.

    weight_ih (4H, D), weight_hh (4H, H), bias_ih (4H,), bias_hh (4H,); order names the four
    blocks of rows from the top, with g for the candidate.
    Returns a dict from "f", "i", "g", "o" to a weight (H, H+D) and a bias (H,).
    Raises ValueError if order is not made of i, f, g, o, or weight_hh is not (4H, H).
    Source: `torch.nn.LSTMCell` and Olah's W · [h_{t-1}, x_t] + b.
    """
    if sorted(order) != sorted("ifgo"):
        allowed = "i, f, g (the candidate) and o once each"
        raise ValueError(f"order must hold {allowed}, found {order!r}")
    if weight_hh.shape[0] != 4 * weight_hh.shape[1]:
        hint = "TensorFlow and Keras store the transpose"
        raise ValueError(f"weight_hh must be (4H, H), found {tuple(weight_hh.shape)}; {hint}")
    weight = torch.cat([weight_hh, weight_ih], dim=1)  # (4H, H+D): the columns of h come first
    bias = bias_ih + bias_hh  # only the sum of the two matters
    blocks = zip(weight.chunk(4), bias.chunk(4), strict=True)  # (H, H+D) and (H,)
    return dict(zip(order, blocks, strict=True))


# %% [markdown]
# ## The same numbers as torch
#
# Both cells read the same random sequence with the same weights.
# Look for a difference no larger than rounding.

# %% matches_torch tags=["demo"]
torch.manual_seed(1)
input_size, hidden_size, batch_size = 5, 3, 4
torch_cell = torch.nn.LSTMCell(input_size, hidden_size).requires_grad_(False)
gates = concatenated_gates(*torch_cell.parameters())
inputs = torch.randn(20, batch_size, input_size)

h = C = torch_h = torch_C = torch.zeros(batch_size, hidden_size)
max_error = 0.0
for x in inputs:
    h, C = lstm_step(x, h, C, gates)
    torch_h, torch_C = torch_cell(x, (torch_h, torch_C))
    errors = torch.cat([h - torch_h, C - torch_C]).abs()
    max_error = max(max_error, errors.max().item())
print(f"largest difference from torch.nn.LSTMCell: {max_error:.1e}")
assert max_error < 1e-6, max_error

# %% [markdown]
# ## The order of the gates
#
# Libraries stack the same four blocks in different orders.
# No shape changes when the order is wrong, so nothing complains.
# Below, torch's blocks are read in three orders, for the same single step.

# %% gate_orders tags=["demo"]
orders = {
    "ifgo": "torch, Keras (written i, f, c, o)",
    "igfo": "TensorFlow 1, Zaremba's Torch code",
    "ifog": "char-rnn",
}
first_x, zeros = inputs[0], torch.zeros(batch_size, hidden_size)
h_0, C_0 = torch.randn(2, batch_size, hidden_size).tanh()
expected = torch.cat(torch_cell(first_x, (h_0, C_0)))
order_errors = {}
print("order   difference   used by")
for order, users in orders.items():
    other_gates = concatenated_gates(*torch_cell.parameters(), order=order)
    found = torch.cat(lstm_step(first_x, h_0, C_0, other_gates))
    order_errors[order] = (found - expected).abs().max().item()
    print(f"{', '.join(order):10}{order_errors[order]:8.1g}   {users}")

torch_order_error, tensorflow_order_error, char_rnn_order_error = order_errors.values()
assert torch_order_error < 1e-6, torch_order_error
assert tensorflow_order_error > 0.1, tensorflow_order_error
assert char_rnn_order_error > 0.1, char_rnn_order_error

# %% [markdown]
# The same weights in a wrong order are a different network.
# Check the order whenever weights move from one library to another.
# TensorFlow's cell also adds a forget bias at run time, which its stored weights do not hold.

# %% [markdown]
# ## Counting parameters
#
# Olah's form has one bias for each gate, torch's has two that are only ever added.

# %% parameter_counts tags=["demo"]
print("    D     H   concatenated     split")
for D, H in ((3, 5), (200, 200), (10, 20)):
    split_cell = torch.nn.LSTMCell(D, H)
    split_gates = concatenated_gates(*split_cell.parameters())
    split_count = sum(weight.numel() for weight in split_cell.parameters())
    concatenated_count = sum(W.numel() + b.numel() for W, b in split_gates.values())
    print(f"{D:5d} {H:5d} {concatenated_count:14d} {split_count:9d}")
    assert concatenated_count == 4 * (H * (H + D) + H), (D, H, concatenated_count)
    assert split_count == 4 * (H * (H + D) + 2 * H), (D, H, split_count)
assert (concatenated_count, split_count) == (2480, 2560), (concatenated_count, split_count)

# %% [markdown]
# With H cells and D features: 4(H(H + D) + H) for the concatenated form, and 4H more for
# the split form.

# %% [markdown]
# ## A gate is a vector, and it is soft
#
# One sequence, one step, three cells. Each gate has a value of its own for each cell.

# %% gates_are_vectors tags=["demo"]
hx = torch.cat([h_0, first_x], dim=1)[2:3]  # (1, H+D): one sequence of the batch
f, i, o = forget_gate(hx, *gates["f"]), input_gate(hx, *gates["i"]), output_gate(hx, *gates["o"])
C_tilde = candidate(hx, *gates["g"])

print("               cell 1  cell 2  cell 3")
for name, vector in {"forget": f, "input": i, "candidate": C_tilde, "output": o}.items():
    print(f"{name:12}" + "".join(f"{value:8.2f}" for value in vector[0].tolist()))

three_gates = torch.cat([f, i, o])  # (3, H)
smallest_gate, largest_gate = three_gates.min().item(), three_gates.max().item()
smallest_spread = (three_gates.amax(1) - three_gates.amin(1)).min().item()
assert 0 < smallest_gate < largest_gate < 1, (smallest_gate, largest_gate)
assert smallest_spread > 0.01, smallest_spread
smallest_candidate = C_tilde.min().item()
assert -1 < smallest_candidate < 0, smallest_candidate

# %% [markdown]
# No gate is fully open or fully closed. The candidate is not a gate: it can be negative.

# %% [markdown]
# ## The cell state is not bounded, the hidden state is
#
# The same cell with the biases of the forget and input gates raised, on one input repeated.
# Both gates now stand almost open, so the cell keeps nearly everything and writes as well.

# %% cell_state_grows tags=["demo"]
open_gates = {gate: (W, b + 6 if gate in "fi" else b) for gate, (W, b) in gates.items()}
x, h, C = first_x[:1], zeros[:1], zeros[:1]
largest_hidden_state = 0.0

print("step   cell state C              hidden state h")
for t in range(1, 41):
    h, C = lstm_step(x, h, C, open_gates)
    if t in (1, 2, 5, 10, 20, 40):
        columns = ["".join(f"{v:7.2f}" for v in state[0].tolist()) for state in (C, h)]
        print(f"{t:4d} {columns[0]}   {columns[1]}")
    largest_hidden_state = max(largest_hidden_state, h.abs().max().item())

hx = torch.cat([h, x], dim=1)  # (1, H+D)
open_f, open_i = forget_gate(hx, *open_gates["f"]), input_gate(hx, *open_gates["i"])
smallest_open_gate = torch.cat([open_f, open_i]).min().item()
largest_cell_state = C.abs().max().item()
assert smallest_open_gate > 0.98, smallest_open_gate
assert largest_cell_state > 10, largest_cell_state
assert largest_hidden_state < 1, largest_hidden_state

# %% [markdown]
# Each step adds to C, so C can leave the range from -1 to 1 and go on.
# h is a gate times a tanh, so it cannot.
