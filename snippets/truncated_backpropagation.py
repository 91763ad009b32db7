# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "truncated backpropagation"
# ///

# %% [markdown]
# # Truncation cuts the gradient, not the memory
#
# A long text is read in blocks. The state goes on from block to block, the gradient does not. For
# the section "Truncated Backpropagation" of TensorFlow's tutorial on recurrent networks.

# %% imports
import torch
from torch import nn

torch.set_num_threads(1)
# Axis letters: B batch, T steps of a block, D features (input_size), H hidden (hidden_size).

# %% [markdown]
# ## Reading in blocks
#
# `detach` makes a tensor with the same values and no history. That is the whole of the cut.


# %% read_in_blocks
def read_in_blocks(lstm, x, block, cut):
    """Read x (T, B, D) in blocks of so many steps; return the outputs (T, B, H).

    The state is carried over. With cut, no gradient crosses from a block to the one before.
    Raises ValueError for blocks of less than one step.
    """
    if block < 1:
        raise ValueError(f"a block has {block} steps; it needs at least 1")
    state, outputs = None, []
    for part in x.split(block):
        output, state = lstm(part, state)
        if cut:
            state = tuple(s.detach() for s in state)
        outputs.append(output)
    return torch.cat(outputs)


# %% reach
def reach(lstm, x, block, cut):
    """Return how strongly the last output depends on the input of each step: (T,), a norm.

    It is the norm of the gradient of the sum of the last outputs.
    """
    x = x.clone().requires_grad_()
    read_in_blocks(lstm, x, block, cut)[-1].sum().backward()
    return x.grad.flatten(1).norm(dim=1)


# %% [markdown]
# ## The gradient stops
#
# Three blocks of four steps, and an LSTM as torch makes it. Each row is a step. Look at the steps
# before the last block, with the cut and without.

# %% gradient_across_the_cut tags=["demo"]
torch.manual_seed(0)
T, B, D, H, block = 12, 2, 3, 8, 4
lstm, x = nn.LSTM(D, H), torch.randn(T, B, D)
with_cut, without = reach(lstm, x, block, cut=True), reach(lstm, x, block, cut=False)
print("step   block   gradient with the cut   without")
for step in range(T):
    print(f"{step:4d} {step // block:7d} {with_cut[step]:23.1e} {without[step]:9.1e}")

across_the_cut = with_cut[: 2 * block].max().item()
within_the_block = with_cut[2 * block :].min().item()
assert across_the_cut == 0.0, with_cut
assert within_the_block > 0, with_cut
assert torch.allclose(with_cut[2 * block :], without[2 * block :]), (with_cut, without)

# %% [markdown]
# Before the last block it is exactly zero: not small, but absent. Within the block it is the same
# with and without the cut.

# %% [markdown]
# ## The memory does not
#
# Now change the input of the very first step and nothing else. Does the last output notice?

# %% memory_across_the_cut tags=["demo"]
changed = x.clone()
changed[0] += 10
outputs, other = (read_in_blocks(lstm, each, block, cut=True)[-1] for each in (x, changed))
change_of_last_output = (outputs - other).abs().max().item()
whole, _ = lstm(x)
difference_of_values = (read_in_blocks(lstm, x, block, cut=True) - whole).abs().max().item()
print(f"largest change of the last output    {change_of_last_output:.1e}")
print(f"difference of blocks from one piece  {difference_of_values:.1e}")
assert change_of_last_output > 1e-6, change_of_last_output
assert difference_of_values < 1e-6, difference_of_values

# %% [markdown]
# It does. The cut changes no value: block by block, the outputs are those of one long sequence. A
# network can use what its state has kept from far back. It is only not told, by a gradient, to keep
# it for longer than a block.
