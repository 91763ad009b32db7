# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "the cell state"
# ///

# %% [markdown]
# # How long a cell state remembers
#
# The conveyor belt of "The Core Idea Behind LSTMs" in Christopher Olah's
# "Understanding LSTM Networks", with the gates set by hand: C_t = f C_{t-1} + i C̃_t.

# %% imports
import math
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import torch
from torch.autograd.functional import jacobian

torch.set_num_threads(1)
# Axis letters: T time, D features (input_size), H hidden (hidden_size).

# %% [markdown]
# ## The belt
#
# One cell, with gates and candidate held fixed.


# %% cell_states
def cell_states(C, f, i, candidate, steps):
    """Run the cell state of one cell with fixed gates.

    C the first state, f and i the gates in [0, 1], candidate in [-1, 1], all numbers.
    Returns the list C_0, ..., C_steps.
    Source: Olah, walk-through, step 3: C_t = f_t * C_{t-1} + i_t * C̃_t.
    """
    states = [C]
    for _ in range(steps):
        states.append(f * states[-1] + i * candidate)
    return states


# %% [markdown]
# The input gate is closed, and the forget gate is fully open, a little less, or half open.
# Look for the column that does not change.

# %% hold_a_value tags=["demo"]
held, leaking, halving = (
    cell_states(1.0, f=f, i=0, candidate=0.5, steps=1000) for f in (1, 0.99, 0.5)
)
steps_to_half_099 = next(t for t, state in enumerate(leaking) if state <= 0.5)

print("   t      f=1     f=0.99      f=0.5")
for t in (0, 1, 10, steps_to_half_099, 100, 1000):
    print(f"{t:4d} {held[t]:8.3g} {leaking[t]:10.2g} {halving[t]:10.2g}")

assert set(held) == {1.0}, set(held)
assert steps_to_half_099 == 69, steps_to_half_099
assert halving[1] == 0.5, halving[1]

# %% [markdown]
# With f = 1 the value is the same to the last bit. One hundredth less, and it fades.

# %% [markdown]
# ## Both gates have to agree
#
# An open forget gate is not enough. Here the input gate is open as well,
# and the same candidate arrives at each step.

# %% open_input_gate_accumulates tags=["demo"]
accumulating = cell_states(1.0, f=1, i=1, candidate=0.5, steps=1000)
print("   t   f=1, i=1")
for t in (0, 1, 10, 100, 1000):
    print(f"{t:4d} {accumulating[t]:10g}")
accumulated_state = accumulating[-1]
assert accumulating == [1 + 0.5 * t for t in range(1001)], accumulated_state
assert accumulated_state > 100, accumulated_state

# %% [markdown]
# The state grows by the candidate at every step, without a bound.
# It flows on unchanged only when f is near 1 and i is near 0.

# %% [markdown]
# ## The half-life of a forget bias
#
# With every other weight and input at zero, the forget gate is f = σ(b), b being its bias.
# The state then loses half in ln ½ / ln σ(b) steps.


# %% half_life
def half_life(forget_bias):
    """Steps in which a cell state halves when its forget gate is σ(forget_bias).

    Source: σ(b)ⁿ = ½, so n = ln ½ / ln σ(b).
    """
    # ln σ(b) = -ln(1 + e^-b): σ(b) itself would round to 1 for a large bias.
    return math.log(2) / math.log1p(math.exp(-forget_bias))


def bias_for_half_life(steps):
    """Forget bias with which a cell state halves in this many steps, the inverse of `half_life`.

    Raises ValueError unless steps is above 0.
    Source: f = 2^(-1/n) and b = ln(f / (1 - f)), so b = -ln(2^(1/n) - 1).
    """
    if not steps > 0:
        raise ValueError(f"steps must be above 0, found {steps}")
    return -math.log(math.expm1(math.log(2) / steps))


# %% [markdown]
# To check the formula, torch's own LSTM cell runs with all parameters zero but one.
# The half-life is then read off its states, between the two steps around one half.


# %% torch_cell_states
@torch.no_grad()
def torch_cell_states(forget_bias, steps):
    """Run a `torch.nn.LSTMCell` from C = 1, its parameters all zero but the forget bias.

    Returns the list C_0, ..., C_steps of one cell.
    """
    cell = torch.nn.LSTMCell(input_size=1, hidden_size=1)
    for parameter in cell.parameters():
        parameter.zero_()
    cell.bias_ih[1] = forget_bias  # the rows are i, f, g, o
    x, h, C = torch.zeros(1), torch.zeros(1), torch.ones(1)
    states = [C.item()]
    for _ in range(steps):
        h, C = cell(x, (h, C))
        states.append(C.item())
    return states


# %% measured_half_life
def measured_half_life(states):
    """Read off when a fading state reaches half of its first value, in steps.

    Between two steps it reads on a logarithmic scale, on which a steady decay is a straight line.
    Raises ValueError if the states do not start above 0 and halve without reaching 0.
    """
    half = states[0] / 2
    after = next((t for t, state in enumerate(states) if state <= half), None)
    if after is None or states[after] <= 0:
        found = f"from {states[0]:g} to {states[-1]:g} in {len(states) - 1} steps"
        raise ValueError(f"the states must start above 0 and halve above 0, found {found}")
    before, beyond = states[after - 1], states[after]
    return after - 1 + math.log(before / half) / math.log(before / beyond)


# %% half_lives tags=["demo"]
biases = (0, 1, 2, 3, 5)
measured = [measured_half_life(torch_cell_states(bias, steps=200)) for bias in biases]
errors = [abs(m / half_life(b) - 1) for b, m in zip(biases, measured, strict=True)]

print("bias b   f = σ(b)   measured   formula")
for b, m in zip(biases, measured, strict=True):
    print(f"{b:6d} {1 / (1 + math.exp(-b)):10.4f} {m:10.2f} {half_life(b):9.2f}")

half_life_bias_0, half_life_bias_1, half_life_bias_2 = measured[:3]
half_life_bias_3, half_life_bias_5 = measured[3:]
half_life_error = max(errors)
assert half_life_error < 0.02, errors
assert abs(half_life_bias_0 - 1) < 1e-6, half_life_bias_0
pairs = pairwise(zip(biases, measured, strict=True))
smallest_gain_per_unit = min((n / m) ** (1 / (c - b)) for (b, m), (c, n) in pairs)
assert smallest_gain_per_unit > 2, smallest_gain_per_unit

# %% [markdown]
# A bias of zero halves the state at every step.
# From there, each further unit of bias more than doubles the half-life.

# %% forgetting_curves tags=["demo"] alt="Cell state over time for five forget biases, on a time axis that is logarithmic after step 1. All start at one. The larger the bias, the later the curve falls through one half."
styles = (":", "-.", "--", "-", (0, (5, 1, 1, 1, 1, 1)))
for bias, style in zip(biases, styles, strict=True):
    plt.plot(torch_cell_states(bias, steps=400), linestyle=style, color="C4")
    label = f"b = {bias}" if bias == 0 else bias
    at_half = (half_life(bias), 0.5)
    plt.annotate(label, at_half, (-6, -12), textcoords="offset points", ha="right")
plt.axhline(0.5, color="gray", linewidth=1)
plt.xscale("symlog", linthresh=1)
plt.xlim(0, 400)
plt.xticks([0, 1, 10, 100], ["0", "1", "10", "100"])
plt.yticks([0, 0.5, 1])
plt.xlabel("step t")
plt.ylabel("cell state C_t")
plt.show()

# %% [markdown]
# ## Exercise: below one percent
#
# f = 0.9 at every step, and i = 0. After how many steps is less than one percent left?

# %% below_one_percent tags=["demo"]
fading = cell_states(1.0, f=0.9, i=0, candidate=0.5, steps=100)
steps_below_1_percent = next(t for t, state in enumerate(fading) if state < 0.01)
exact_steps_to_1_percent = math.log(0.01) / math.log(0.9)
print(f"ln 0.01 / ln 0.9 = {exact_steps_to_1_percent:.1f}, so {steps_below_1_percent} steps")
assert steps_below_1_percent == 44, steps_below_1_percent
assert math.ceil(exact_steps_to_1_percent) == 44, exact_steps_to_1_percent

# %% [markdown]
# ## Exercise: a half-life of 50 steps
#
# The formula turned round gives the bias. Torch's cell then runs with it.

# %% bias_for_50_steps tags=["demo"]
bias_50 = bias_for_half_life(50)
forget_gate_50 = 1 / (1 + math.exp(-bias_50))
half_life_with_bias_50 = measured_half_life(torch_cell_states(bias_50, steps=100))
print(f"b = {bias_50:.2f}, f = {forget_gate_50:.5f}")
print(f"measured half-life: {half_life_with_bias_50:.2f} steps")
assert abs(bias_50 - 4.27) < 0.005, bias_50
assert abs(forget_gate_50 - 2 ** (-1 / 50)) < 1e-12, forget_gate_50
assert abs(half_life_with_bias_50 - 50) < 0.01, half_life_with_bias_50

# %% [markdown]
# ## Exercise: the derivative along the belt
#
# In a whole LSTM, h depends on C, and the next gates depend on h.
# So C_0 reaches C_T along the belt, and also by detours through h into the gates.
# Detaching h at each step closes the detours and leaves every value as it was.


# %% derivative_paths
def final_cell_state(C, cell, inputs, detach_h=False):
    """Run a `torch.nn.LSTMCell` over a sequence, from h = 0.

    C (H,) the first cell state, inputs (T, D); detach_h closes the paths through h.
    Returns the last cell state (H,).
    """
    h = torch.zeros_like(C)
    for x in inputs:
        h, C = cell(x, (h.detach() if detach_h else h, C))
    return C


def product_of_forget_gates(C, cell, inputs):
    """Multiply the forget gates that a `torch.nn.LSTMCell` forms along a sequence, from h = 0.

    C (H,) the first cell state, inputs (T, D). Returns f_1 * ... * f_T (H,).
    """
    h, product = torch.zeros_like(C), torch.ones_like(C)
    for x in inputs:
        rows = cell.weight_ih @ x + cell.bias_ih + cell.weight_hh @ h + cell.bias_hh  # (4H,)
        product = product * torch.sigmoid(rows.chunk(4)[1])  # (H,): the rows are i, f, g, o
        h, C = cell(x, (h, C))
    return product


# %% belt_and_detours tags=["demo"]
torch.manual_seed(1)
cell = torch.nn.LSTMCell(input_size=4, hidden_size=16).double()
inputs, C_0 = torch.randn(20, 4).double(), torch.randn(16).double()

print("   T   belt - product   detours")
belt_errors, detours = [], {}
for T in (1, 2, 5, 10, 20):
    run = partial(final_cell_state, cell=cell, inputs=inputs[:T])
    every_path = jacobian(run, C_0)  # (H, H): row of C_T, column of C_0
    belt = jacobian(partial(run, detach_h=True), C_0)
    assert torch.equal(run(C_0), run(C_0, detach_h=True)), T
    product = product_of_forget_gates(C_0, cell, inputs[:T]).diag()
    belt_errors.append(((belt - product).norm() / product.norm()).item())
    detours[T] = ((every_path - belt).norm() / belt.norm()).item()
    print(f"{T:4d} {belt_errors[-1]:16.1g} {detours[T]:9.2f}")

belt_error, detours_at_10, detours_at_20 = max(belt_errors), detours[10], detours[20]
assert belt_error < 1e-6, belt_errors
assert detours[1] == 0 < detours[2] < detours[5] < detours[10] < detours[20], detours
assert detours[20] > 5, detours

# %% [markdown]
# Both columns are relative to the size of the derivative along the belt.
# That derivative is the product of the forget gates.
# The detours open at the second step, and in this untrained cell they end up outweighing the belt.
