# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "LSTM variants"
# ///

# %% [markdown]
# # LSTM variants side by side
#
# Five cells written in the same few lines, for the section "Variants on Long Short Term Memory"
# of Olah's post. Their sizes are compared, then what they learn from a stream that has to be
# forgotten at a marker.

# %% imports
import matplotlib.pyplot as plt
import torch
from torch import sigmoid, tanh
from torch.nn.functional import cross_entropy, one_hot

torch.set_num_threads(1)

# Axes: S seeds, B batch, T time, D features, H hidden. A step works with or without the leading S.

# %% [markdown]
# Every learned layer is a block of H rows. Each step below stacks its blocks in the order of the
# names it unpacks, so `i, f, g, o` is the order of torch; g is Olah's C̃.


# %% standard_step
def blocks(x, h, weight_ih, weight_hh, bias):
    """All learned layers of a cell, before their σ or tanh: a tuple of tensors (..., B, H).

    x (..., B, D); h (..., B, H); weight_ih (..., nH, D); weight_hh (..., nH, H); bias (..., nH).
    """
    layers = x @ weight_ih.mT + h @ weight_hh.mT + bias.unsqueeze(-2)  # (..., B, nH)
    return layers.split(h.shape[-1], dim=-1)


def lstm(x, h, C, weight_ih, weight_hh, bias):
    """One step of the standard LSTM: returns h and C, both (..., B, H); 4 blocks i, f, g, o.

    Source: Olah, "Step-by-Step LSTM Walk Through"; one bias, the sum of torch's two.
    """
    i, f, g, o = blocks(x, h, weight_ih, weight_hh, bias)
    C = sigmoid(f) * C + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(C), C


# %% [markdown]
# Peepholes let the gates see the cell state: f and i the old one, o the new one. Olah draws C
# inside the concatenation, which suggests full matrices. In the paper a gate sees its own cell
# only, through one weight.


# %% peephole_step
def peephole_lstm(x, h, C, weight_ih, weight_hh, bias, weight_peep):
    """One step with peepholes, weight_peep (..., 3H) in the order i, f, o: returns h and C.

    Source: Gers & Schmidhuber 2000; Olah, "Variants", first figure.
    """
    i, f, g, o = blocks(x, h, weight_ih, weight_hh, bias)
    peep_i, peep_f, peep_o = weight_peep.unsqueeze(-2).chunk(3, dim=-1)  # (..., 1, H)
    C_new = sigmoid(f + peep_f * C) * C + sigmoid(i + peep_i * C) * tanh(g)
    return sigmoid(o + peep_o * C_new) * tanh(C_new), C_new


# %% [markdown]
# Coupled gates write exactly where they erase: the input gate is 1 − f.


# %% coupled_step
def coupled_lstm(x, h, C, weight_ih, weight_hh, bias):
    """One step with i = 1 − f: returns h and C; 3 blocks f, g, o.

    Source: Olah, "Variants", second figure.
    """
    f, g, o = blocks(x, h, weight_ih, weight_hh, bias)
    f = sigmoid(f)
    C = f * C + (1 - f) * tanh(g)
    return sigmoid(o) * tanh(C), C


# %% [markdown]
# The GRU also drops the output gate and the second tanh, so C and h become one state. It gains a
# gate r, which hides part of that state from the candidate. Olah prints it without biases; here
# every block has one.


# %% gru_step
def gru(x, h, C, weight_ih, weight_hh, bias):
    """One step of the GRU as Olah prints it: returns its one state twice; 3 blocks r, z, n.

    n is Olah's h̃; C is ignored, for it equals h.
    Source: Cho et al. 2014; Olah, "Variants", third figure.
    """
    x_r, x_z, x_n = (x @ weight_ih.mT + bias.unsqueeze(-2)).split(h.shape[-1], dim=-1)
    weight_hr, weight_hz, weight_hn = weight_hh.split(h.shape[-1], dim=-2)  # (..., H, H)
    r = sigmoid(x_r + h @ weight_hr.mT)
    z = sigmoid(x_z + h @ weight_hz.mT)
    n = tanh(x_n + (r * h) @ weight_hn.mT)
    h = (1 - z) * h + z * n
    return h, h


# %% [markdown]
# The post credits the LSTM to a paper of 1997, but that cell could not forget: its f is 1 for
# ever. The forget gate came with Gers, Schmidhuber & Cummins 2000.


# %% no_forget_step
def no_forget_lstm(x, h, C, weight_ih, weight_hh, bias):
    """One step of the 1997 cell, in modern dress: returns h and C; 3 blocks i, g, o.

    Source: Hochreiter & Schmidhuber 1997, but with tanh and with the whole gradient.
    """
    i, g, o = blocks(x, h, weight_ih, weight_hh, bias)
    C = C + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(C), C


# %% variants
VARIANTS = {  # name: (step, names of its blocks)
    "standard": (lstm, "ifgo"),
    "peephole": (peephole_lstm, "ifgo"),
    "coupled": (coupled_lstm, "fgo"),
    "GRU": (gru, "rzn"),
    "no forget": (no_forget_lstm, "igo"),
}
KEEP_BIAS = {"f": 1.0, "z": -1.0}  # the gate that keeps the state starts near σ(1); z erases: -1


def new_weights(variant, input_size, hidden_size, seeds):
    """Fresh weights for `seeds` independent copies of a variant: a dict of tensors (S, ...)."""
    names = VARIANTS[variant][1]
    rows, bound = len(names) * hidden_size, hidden_size**-0.5
    shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
    if variant == "peephole":
        shapes["weight_peep"] = (3 * hidden_size,)
    weights = {k: torch.empty(seeds, *s).uniform_(-bound, bound) for k, s in shapes.items()}
    bias = [torch.full((hidden_size,), KEEP_BIAS.get(name, 0.0)) for name in names]
    return weights | {"bias": torch.cat(bias).repeat(seeds, 1)}  # (S, nH)


# %% [markdown]
# ## Sizes
#
# One block holds a matrix for x, a matrix for h and a bias: count the blocks.

# %% parameter_counts tags=["demo"]
input_size, hidden_size = 10, 20
block_size = hidden_size * (input_size + hidden_size + 1)
size = {}
print(f"D = {input_size}, H = {hidden_size}\n\nvariant      blocks  parameters")
for variant, (_, names) in VARIANTS.items():
    weights = new_weights(variant, input_size, hidden_size, seeds=1)
    size[variant] = sum(w.numel() for w in weights.values())
    print(f"{variant:12}{len(names):6}{size[variant]:12,}")
assert size["standard"] == 4 * block_size, size
assert size["coupled"] == size["GRU"] == size["no forget"] == 3 * block_size, size
assert size["peephole"] == size["standard"] + 3 * hidden_size, size
standard_parameters, peephole_parameters, coupled_parameters, gru_parameters, _ = size.values()
peephole_extra, full_peephole_extra = 3 * hidden_size, 3 * hidden_size**2
assert (peephole_extra, full_peephole_extra) == (60, 1200), (peephole_extra, full_peephole_extra)

# %% [markdown]
# Standard, coupled and GRU stand as 4 : 3 : 3. Diagonal peepholes add one weight for each of
# three gates in every cell, so 3H; full matrices would add 3H².
#
# ## One task for all
#
# A stream without an end. Hold the first symbol after a reset marker, ignore all others, forget
# at the next marker.


# %% stream
SYMBOLS, RESET = 4, 5  # events: 0 nothing, 1 to 4 a symbol, 5 reset
CHANCES = torch.tensor([0.6] + [0.3 / SYMBOLS] * SYMBOLS + [0.1])


def new_events(steps, seeds, batch, generator):
    """A random stream of events (T, S, B), int64."""
    draws = CHANCES.multinomial(steps * seeds * batch, replacement=True, generator=generator)
    return draws.view(steps, seeds, batch)


def symbols_held(events, held):
    """The symbol held after each event (T, S, B), and at the end (S, B); 0 for nothing."""
    answers = []
    for event in events:
        held = torch.where(event == RESET, 0, torch.where(held == 0, event, held))
        answers.append(held)
    return torch.stack(answers), held


# %% run
def run(step, weights, events, h, C):
    """Carry a cell through events (T, S, B): all h and all C, both (T, S, B, H)."""
    states = []
    for x in one_hot(events, RESET + 1).float():  # (S, B, D)
        h, C = step(x, h, C, **weights)
        states.append((h, C))
    return [torch.stack(s) for s in zip(*states, strict=True)]


def loss_by_seed(logits, answers):
    """Mean loss (S,) in nats per step of logits (T, S, B, 1 + SYMBOLS), answers (T, S, B)."""
    nats = cross_entropy(logits.flatten(0, 2), answers.flatten(), reduction="none")
    return nats.view_as(answers).mean(dim=(0, 2))


def blank(seeds, batch, hidden_size):
    """The start of a stream: h and C (S, B, H), and the symbol held (S, B)."""
    zeros = torch.zeros(seeds, batch, hidden_size)
    return zeros, zeros, torch.zeros(seeds, batch, dtype=torch.int64)


# %% [markdown]
# All seeds train at once, stacked along S. The gate that keeps the state starts near σ(1) in
# every variant that has one. Updates see short windows of the stream; the state is carried from
# window to window, never cleared.


# %% train
STUCK = 2.0  # beyond |C| = 2, tanh passes less than a tenth of the gradient


def train(variant, clear=False, updates=100, steps=20, seeds=10, batch=16, hidden_size=16):
    """Train a variant: weights, readout (S, 1 + SYMBOLS, H), share of stuck cells by update.

    `clear` starts a new stream, with a blank state, at each update.
    """
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)  # the same stream for every variant
    weights = new_weights(variant, RESET + 1, hidden_size, seeds)
    readout = torch.zeros(seeds, 1 + SYMBOLS, hidden_size)
    learned = [w.requires_grad_() for w in (*weights.values(), readout)]
    optimizer = torch.optim.Adam(learned, lr=0.04)
    stuck = []
    for update in range(updates):
        if clear or update == 0:
            h, C, held = blank(seeds, batch, hidden_size)
        events = new_events(steps, seeds, batch, data)
        answers, held = symbols_held(events, held)
        hs, Cs = run(VARIANTS[variant][0], weights, events, h, C)
        optimizer.zero_grad()
        loss_by_seed(hs @ readout.mT, answers).sum().backward()  # a sum keeps seeds independent
        optimizer.step()
        h, C = hs[-1].detach(), Cs[-1].detach()
        stuck.append((C.abs() > STUCK).float().mean().item())
    return weights, readout, stuck


@torch.no_grad()
def follow(variant, weights, readout, steps=500, warm_up=100, batch=16):
    """Test on a new stream: loss (S,) and share wrong (S,) after `warm_up`, C (T, S, B, H)."""
    seeds, _, hidden_size = readout.shape
    h, C, held = blank(seeds, batch, hidden_size)
    events = new_events(steps, seeds, batch, torch.Generator().manual_seed(2))
    answers = symbols_held(events, held)[0][warm_up:]
    hs, Cs = run(VARIANTS[variant][0], weights, events, h, C)
    logits = hs[warm_up:] @ readout.mT
    wrong = (logits.argmax(-1) != answers).float().mean(dim=(0, 2))
    return loss_by_seed(logits, answers), wrong, Cs


# %% [markdown]
# Every variant gets the same stream, loss and learning rate. The last line is for scale: the
# loss of someone who knows only how often each answer is right.

# %% final_losses tags=["demo"]
losses, wrong, cells, stuck = {}, {}, {}, {}
print("                nats per step         wrong\nvariant     mean    best   worst    answers")
for variant in VARIANTS:
    weights, readout, stuck[variant] = train(variant)
    losses[variant], wrong[variant], cells[variant] = follow(variant, weights, readout)
    mean, best, worst = (f(losses[variant]).item() for f in (torch.mean, torch.min, torch.max))
    print(f"{variant:9}{mean:7.4f} {best:7.4f} {worst:7.4f}{wrong[variant].mean():11.2%}")
nothing = CHANCES[RESET] / (1 - CHANCES[0])  # how often the right answer is "nothing held"
guess_loss = -(nothing * nothing.log() + (1 - nothing) * ((1 - nothing) / SYMBOLS).log()).item()
print(f"guessing {guess_loss:7.4f}")

# %% losses_compared tags=["demo"]
with_gate = torch.stack([losses[v] for v in VARIANTS if v != "no forget"])  # (4, S)
means = [values.mean().item() for values in losses.values()]
loss_standard, loss_peephole, loss_coupled, loss_gru, loss_no_forget = means
spread_of_variants = max(means[:-1]) - min(means[:-1])
spread_over_seeds = (with_gate.amax(dim=1) - with_gate.amin(dim=1)).max().item()
price_of_no_forget = loss_no_forget - loss_standard
worst_with_gate, best_without_gate = with_gate.max().item(), losses["no forget"].min().item()
standard_best, gru_worst = losses["standard"].min().item(), losses["GRU"].max().item()
most_wrong_with_gate = max(wrong[v].max().item() for v in VARIANTS if v != "no forget")
print(f"largest difference of means, with a gate  {spread_of_variants:7.4f}")
print(f"largest difference of seeds, same cell    {spread_over_seeds:7.4f}")
print(f"price of removing the forget gate         {price_of_no_forget:7.4f}")
assert worst_with_gate < 0.1 * best_without_gate, (worst_with_gate, best_without_gate)
assert spread_of_variants < spread_over_seeds, (spread_of_variants, spread_over_seeds)
assert price_of_no_forget > 50 * spread_of_variants, (price_of_no_forget, spread_of_variants)
assert most_wrong_with_gate < 0.01, most_wrong_with_gate
assert gru_worst < standard_best, (gru_worst, standard_best)

# %% [markdown]
# The four cells that can forget all solve the task: what is left of their loss is doubt, hardly
# errors. Their means differ by less than seeds of one cell do. Still, the order is not chance:
# here the worst GRU is below the best standard LSTM.
#
# One toy task and one learning rate make no ranking. Greff et al. 2015 tuned each variant on
# three real tasks and found none significantly better than the standard cell. They also found
# that it hurts to remove the forget gate, and that shows here in every seed.

# %% losses_by_seed tags=["demo"] alt="Final loss of each seed on a logarithmic axis, one row of circles per variant. Standard, peephole, coupled and GRU all lie far left of the cell without a forget gate, which is close to guessing."
figure, axes = plt.subplots()
for row, values in enumerate(losses.values()):
    axes.plot(values, [row] * len(values), "o", color="gray", fillstyle="none")
    axes.plot(means[row], row, "|", color="black", markersize=22, markeredgewidth=2)
axes.axvline(guess_loss, color="black", linestyle=":")
axes.text(guess_loss * 0.9, 1.5, "guessing", ha="right", va="center")
axes.set(xscale="log", xlabel="final loss (nats per step)")
axes.xaxis.set_major_formatter("{x:g}")  # exponents set small are lost on a phone
axes.set_yticks(range(len(losses)), losses)
axes.set_title("circle: one seed, bar: mean")
axes.invert_yaxis()
plt.show()

# %% [markdown]
# ## Why the old cell fails
#
# Is the task beyond it? Train it once more, but start a new stream with a blank state for each
# update. Then test it as before, on one long stream that nothing clears. A cell counts as stuck
# where |C| is so large that tanh hardly reacts.

# %% cleared_in_training tags=["demo"]
weights, readout, stuck["cleared"] = train("no forget", clear=True)
losses["cleared"], _, cells["cleared"] = follow("no forget", weights, readout)
early = 20
print(f"                 stuck after      mean\ntrained           {early} updates      loss")
for name in ("standard", "no forget", "cleared"):
    print(f"{name:12}{stuck[name][early - 1]:14.0%}{losses[name].mean():14.4f}")
stuck_standard, stuck_no_forget = stuck["standard"][early - 1], stuck["no forget"][early - 1]
stuck_cleared = stuck["cleared"][early - 1]
loss_cleared, cleared_best = losses["cleared"].mean().item(), losses["cleared"].min().item()
assert stuck_standard < 0.1, stuck_standard
assert stuck_cleared < 0.6 < 0.9 < stuck_no_forget, (stuck_cleared, stuck_no_forget)
assert loss_cleared - loss_standard < 0.2 * price_of_no_forget, (loss_cleared, loss_standard)
assert worst_with_gate < cleared_best, (worst_with_gate, cleared_best)

# %% [markdown]
# It is not. On the endless stream nearly all cells are stuck after a few updates, and a stuck
# cell passes hardly any gradient. With clearing, enough of them stay in reach: the old cell
# learns the task, though never as well as the others. So most of the price is paid for never
# starting anew.
#
# Now the states themselves, on the test stream, which is never cleared.

# %% cell_state_drift tags=["demo"] alt="Mean size of the cell state over five hundred steps. It climbs in a straight line for both cells without a forget gate, less steeply where training was cleared, and stays flat for the standard LSTM."
figure, axes = plt.subplots()
drift = {name: C.abs().mean(dim=(1, 2, 3)) for name, C in cells.items()}  # (T,) each
for name, style in (("no forget", "--"), ("cleared", ":"), ("standard", "-")):
    axes.plot(range(1, len(drift[name]) + 1), drift[name], style, color="C4")
    axes.text(len(drift[name]) + 8, drift[name][-1], name, va="center")
axes.set(xlabel="step t of the test stream", ylabel="mean |C|", xlim=(0, 500))
plt.show()

growth = {name: (d[-1] / d[99]).item() for name, d in drift.items()}  # step 500 over step 100
growth_standard, growth_no_forget = growth["standard"], growth["no forget"]
mean_C_standard, mean_C_no_forget = drift["standard"][-1].item(), drift["no forget"][-1].item()
mean_C_cleared = drift["cleared"][-1].item()
median_C_cleared = cells["cleared"][-1].abs().median().item()
assert growth_standard < 1.5, growth
assert min(growth_no_forget, growth["cleared"]) > 4, growth
assert median_C_cleared < STUCK < mean_C_cleared, (median_C_cleared, mean_C_cleared)

# %% [markdown]
# Without a forget gate the mean grows in proportion to t. It does so even where the task is
# learned, but there the median stays small: some cells run away, most stay in reach.
