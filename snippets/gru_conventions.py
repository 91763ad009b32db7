# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "GRU conventions"
# ///

# %% [markdown]
# # Four GRUs, one name
#
# Two choices differ between papers and libraries: what z means, and where r acts. This goes with
# the GRU in Olah's section "Variants on Long Short Term Memory".

# %% imports
import torch
from torch import sigmoid, tanh

torch.set_num_threads(1)

# Axes: B batch, T time, D features (input_size), H hidden (hidden_size).

# %% [markdown]
# What z means: Olah writes (1 − z) h + z h̃, so z says how much to write. torch has (1 − z) n + z h,
# with n for h̃, so z says how much to keep. Cho et al. 2014 keep, Chung et al. 2014 write.
#
# Where r acts: Olah masks the state, then multiplies by the matrix. torch masks the product. Both
# are in Cho et al. 2014: the product in the first version on arXiv, the state in the last.


# %% gru_step
def gru_step(x, h, weight_ih, weight_hh, bias_ih, bias_hh, z_keeps=True, reset_after=True):
    """One step of a GRU, in torch's convention unless told otherwise: the new h (B, H).

    x (B, D); h (B, H); weight_ih (3H, D); weight_hh (3H, H); both biases (3H,); blocks r, z, n.
    Source: `torch.nn.GRU`; Olah, "Variants", third figure, has both switches off and no biases.
    """
    x_r, x_z, x_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=-1)  # (B, H) each
    h_r, h_z, h_n = (h @ weight_hh.T + bias_hh).chunk(3, dim=-1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    if reset_after:
        n = tanh(x_n + r * h_n)
    else:
        weight_hn, bias_hn = weight_hh.chunk(3)[2], bias_hh.chunk(3)[2]
        n = tanh(x_n + (r * h) @ weight_hn.T + bias_hn)
    keep = z if z_keeps else 1 - z
    return keep * h + (1 - keep) * n


def run_gru(xs, h, weights, **convention):
    """All states (T, B, H) of a GRU with the four `weights` of `gru_step`, over xs (T, B, D)."""
    states = []
    for x in xs:
        h = gru_step(x, h, *weights, **convention)
        states.append(h)
    return torch.stack(states)


# %% [markdown]
# ## One set of weights, four functions
#
# The same weights go through all four conventions. Which one is `torch.nn.GRU`?

# %% four_conventions tags=["demo"]
torch.manual_seed(0)
module = torch.nn.GRU(input_size=4, hidden_size=8)
for parameter in module.parameters():
    torch.nn.init.normal_(parameter, std=0.5)
weights = [parameter.detach() for parameter in module.parameters()]
xs, start = torch.randn(10, 3, 4), torch.zeros(3, 8)
expected = module(xs)[0].detach()
difference = {}
print("z says  r acts on    difference")
for z_keeps, z_name in ((True, "keep "), (False, "write")):
    for reset_after, r_name in ((True, "the product"), (False, "the state  ")):
        states = run_gru(xs, start, weights, z_keeps=z_keeps, reset_after=reset_after)
        assert states.abs().max() < 1, states.abs().max()
        difference[z_keeps, reset_after] = (states - expected).abs().max().item()
        print(f"{z_name}   {r_name}{difference[z_keeps, reset_after]:12.1e}")
torch_difference = difference.pop((True, True))
reset_difference, z_difference = difference[True, False], difference[False, True]
olah_difference = difference[False, False]
assert torch_difference < 1e-6, torch_difference
assert min(difference.values()) > 0.05, difference

# %% [markdown]
# Only the first. The other three raise no error: the shapes agree, and the states stay between
# −1 and 1. Nothing warns someone who ports weights.
#
# ## One of the two is only a name
#
# σ(−a) is 1 − σ(a). So turning the signs of z's weights and biases turns its meaning. Does the
# same set of weights then give torch's states?


# %% flip_z
def flip_z(weights):
    """Weights that mean the same with the opposite sense of z: the rows of block z change sign."""
    flipped = []
    for weight in weights:
        r, z, n = weight.chunk(3)
        flipped.append(torch.cat([r, -z, n]))
    return flipped


# %% z_is_a_name tags=["demo"]
flipped = flip_z(weights)
after = run_gru(xs, start, flipped, z_keeps=False, reset_after=True)
before = run_gru(xs, start, flipped, z_keeps=False, reset_after=False)
flipped_difference = (after - expected).abs().max().item()
flipped_olah_difference = (before - expected).abs().max().item()
print(f"z flipped, r on the product  {flipped_difference:.1e}")
print(f"z flipped, r on the state    {flipped_olah_difference:.1e}")
assert flipped_difference < 1e-6, flipped_difference
assert flipped_olah_difference > 0.05, flipped_olah_difference

# %% [markdown]
# z is repaired exactly. The place of r is not: r ∗ (W h) and W (r ∗ h) are equal only where r
# and W commute, for instance if W is diagonal. Weights trained one way must be run that way.
