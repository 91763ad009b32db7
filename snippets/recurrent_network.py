# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "recurrence"
# ///

# %% [markdown]
# # A recurrent network is a loop
#
# One small layer, applied once per input, hands its state on to itself.
# This is the loop and the unrolled chain of "Recurrent Neural Networks",
# the first section of Christopher Olah's "Understanding LSTM Networks".

# %% imports
import matplotlib.pyplot as plt
import torch

torch.set_num_threads(1)
# Axis letters: B batch, T time, D features (input_size), H hidden (hidden_size).

# %% [markdown]
# ## The step and the loop
#
# The step makes a new state from the present input and the state before it.
# In torch's notation: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).


# %% rnn_step
def rnn_step(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Make the new state from the present input and the old state.

    x (B, D), h (B, H), weight_ih (H, D), weight_hh (H, H), bias_ih (H,), bias_hh (H,).
    Returns the new state (B, H), each value in (-1, 1).
    Source: the module A of Olah's "Recurrent Neural Networks", with the tanh layer that his
    section "LSTM Networks" draws in it; the weights are named as in `torch.nn.RNN`.
    """
    return torch.tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)  # (B, H)


# %% [markdown]
# The loop carries the state along. Every round uses the same weights.


# %% run_rnn
def run_rnn(inputs, h, weights):
    """Apply the step to each input in turn.

    inputs (T, B, D) with T at least 1, h (B, H) the state before the first input,
    weights the four tensors of `rnn_step`. Returns the state after each input (T, B, H).
    Source: the unrolled chain of Olah's "Recurrent Neural Networks".
    """
    states = []
    for x in inputs:
        h = rnn_step(x, h, *weights)
        states.append(h)
    return torch.stack(states)  # (T, B, H)


# %% [markdown]
# ## The same numbers as torch
#
# The loop takes its weights from a `torch.nn.RNN`, and both read the same random sequence.
# Look for a difference no larger than rounding.

# %% matches_torch tags=["demo"]
torch.manual_seed(1)
input_size, hidden_size, batch_size = 3, 16, 4
torch_rnn = torch.nn.RNN(input_size, hidden_size).requires_grad_(False)
weights = list(torch_rnn.parameters())
h_0 = torch.zeros(batch_size, hidden_size)

inputs = torch.randn(20, batch_size, input_size)
expected, _ = torch_rnn(inputs)
max_error = (run_rnn(inputs, h_0, weights) - expected).abs().max().item()
print(f"largest difference from torch.nn.RNN: {max_error:.1e}")
assert max_error < 1e-6, max_error

# %% [markdown]
# ## One set of weights for any length
#
# The unrolled chain looks like many layers, but they are copies of one.
# Below, the same weights read sequences of three lengths.
# The error is the largest difference from `torch.nn.RNN`. The last column is for contrast:
# one dense layer from the whole sequence to one state.

# %% parameter_count tags=["demo"]
rnn_parameters = sum(weight.numel() for weight in weights)
errors = []
print("    T   parameters     error   dense layer")
for T in (5, 50, 500):
    inputs = torch.randn(T, batch_size, input_size)
    errors.append((run_rnn(inputs, h_0, weights) - torch_rnn(inputs)[0]).abs().max().item())
    dense = torch.nn.Linear(T * input_size, hidden_size)
    dense_parameters = sum(weight.numel() for weight in dense.parameters())
    print(f"{T:5d}   {rnn_parameters:10d}   {errors[-1]:7.1e}   {dense_parameters:11d}")
    assert dense_parameters == hidden_size * (T * input_size + 1), (T, dense_parameters)
H, D = hidden_size, input_size
largest_error = max(errors)
assert largest_error < 1e-6, errors
assert rnn_parameters == H * (D + H + 2), rnn_parameters

# %% [markdown]
# The count is H(D + H + 2): two matrices and two biases, and no T.
# The dense layer needs new weights for each further input.

# %% [markdown]
# ## What the state carries
#
# Change a single input and compare all states with those of the unchanged sequence.
# States before the change cannot know of it. States from there on do.


# %% influence
def influence(inputs, h, weights, step):
    """Measure how much every state moves when one input is replaced by its negative.

    inputs (T, B, D), h (B, H) and weights as in `run_rnn`; step in 1..T says which input.
    Returns (T,): the Euclidean length of the change of h_t, averaged over the batch.
    Raises ValueError if there is no such step.
    """
    if not 1 <= step <= len(inputs):
        raise ValueError(f"step must be in 1..{len(inputs)}, found {step}")
    changed = inputs.clone()
    changed[step - 1] *= -1
    difference = run_rnn(changed, h, weights) - run_rnn(inputs, h, weights)
    return difference.norm(dim=-1).mean(dim=-1)  # (T, B, H) -> (T,)


# %% only_the_past_counts tags=["demo"]
# Double precision: in float32 a faint influence would drown in rounding.
weights_64 = [weight.double() for weight in weights]
sequence = torch.randn(40, batch_size, input_size, dtype=torch.float64)
from_1, from_4 = (influence(sequence, h_0.double(), weights_64, step) for step in (1, 4))

print("change of   x_1 changed   x_4 changed")
for t in (1, 2, 3, 4, 5, 6, 8, 40):
    print(f"{f'h_{t}':>9}   {from_1[t - 1].item():11.2g}   {from_4[t - 1].item():11.2g}")

change_before_x_4 = from_4[:3].max().item()
last_change_from_x_1 = from_1[-1].item()
assert change_before_x_4 == 0, change_before_x_4
assert from_4[3:].min() > 0, from_4
assert from_1.min() > 0, from_1
assert last_change_from_x_1 < 1e-6, last_change_from_x_1

# %% [markdown]
# The zeros are exact: the output at step t depends on the inputs up to t only.
# The first input still moves the last state, but by very little.
# The figure shows how that influence fades.

# %% influence_fades tags=["demo"] alt="Change of the state over 40 steps on a logarithmic axis, for three changed inputs. Each curve begins at the step of the changed input, and falls from there in a nearly straight line."
for step, style in ((1, "-"), (14, "--"), (27, ":")):
    change = influence(sequence, h_0.double(), weights_64, step)[step - 1 :]
    plt.semilogy(range(step, len(sequence) + 1), change, style, color="C5")
    plt.annotate(f"x_{step} changed", (step, change[0]), (6, 4), textcoords="offset points")
plt.ylim(top=10)
plt.gca().yaxis.set_major_formatter("{x:.0e}")  # exponents set small are lost on a phone
plt.xlabel("step t")
plt.ylabel("change of h_t (length)")

left_after_10_steps = (from_1[10] / from_1[0]).item()
kept_per_early_step = (from_1[19] / from_1[4]).item() ** (1 / 15)
kept_per_late_step = (from_1[39] / from_1[24]).item() ** (1 / 15)
assert left_after_10_steps < 0.01, left_after_10_steps
assert abs(kept_per_early_step / kept_per_late_step - 1) < 0.05, kept_per_late_step
plt.show()

# %% [markdown]
# A straight line on this axis means that every step keeps about the same fraction.
# These are the weights that torch draws by default, not trained ones.
# With them, very little of the first input is left ten steps later.
