"""Perplexity against closed forms, Kneser-Ney against counts in dictionaries and sums to 1."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

V = 5


@pytest.fixture
def text():
    return np.random.default_rng(0).choice(V, size=400, p=[0.4, 0.3, 0.2, 0.06, 0.04])


def by_hand(text, n, gram):
    """Kneser and Ney's probability, with dictionaries and one n-gram at a time."""

    def discount(counts, c):
        n1, n2, n3, n4 = (sum(value == k for value in counts.values()) for k in (1, 2, 3, 4))
        if not (n1 and n2 and n3):
            return 0.5 if c else 0
        after = {1: n2 / n1, 2: n3 / n2, 3: n4 / n3}
        k = min(c, 3)
        return max(0, k - (k + 1) * n1 / (n1 + 2 * n2) * after[k]) if c else 0

    p = 1 / V
    for k in range(1, n + 1):
        grams = Counter(map(tuple, sliding_window_view(text, k)))
        if k < n:  # how many different words stand before it
            longer = set(map(tuple, sliding_window_view(text, k + 1)))
            grams = Counter(each[1:] for each in longer)
        here = {g: c for g, c in grams.items() if g[:-1] == tuple(gram[-k:-1])}
        if total := sum(here.values()):
            c = here.get(tuple(gram[-k:]), 0)
            held = sum(discount(grams, value) for value in here.values())
            p = (c - discount(grams, c)) / total + held / total * p
    return p


def test_perplexity_of_known_cases(snippet):
    assert snippet.perplexity([1.0, 1.0]) == 1
    assert snippet.perplexity(np.full(7, 1 / 9)) == pytest.approx(9, rel=1e-12)
    assert snippet.perplexity([0.5, 0.125]) == pytest.approx(4)  # 1 and 3 bits, 2 on average
    assert snippet.perplexity([0.5, 0.0]) == np.inf


@pytest.mark.parametrize("p", [[], [0.5, 1.5], [-0.1]])
def test_what_is_no_probability_is_refused(snippet, p):
    with pytest.raises(ValueError, match=r"found \[.*\]; it takes one word or more, each from 0"):
        snippet.perplexity(p)


def test_encode_keeps_the_frequent_words_of_the_first_list(snippet):
    first, second = snippet.encode(["a", "b", "a", "c", "b", "a"], ["c", "a", "zebra", "b"], 3)
    assert first.tolist() == [1, 2, 1, 0, 2, 1]
    assert second.tolist() == [0, 1, 0, 2]


def test_ngrams_are_counted(snippet):
    codes, times = snippet.count(np.array([1, 2, 1, 2, 0]), 2, 3)
    assert dict(zip(codes.tolist(), times.tolist(), strict=True)) == {5: 2, 7: 1, 6: 1}
    with pytest.raises(ValueError, match="found n = 5 with V = 8000"):
        snippet.codes(np.zeros((1, 5), dtype=int), 8000)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_kneser_ney_is_that_of_the_dictionaries(snippet, text, n):
    model = snippet.kneser_ney(text, n, V)
    grams = np.array(list(product(range(V), repeat=3)))
    found = snippet.probabilities(model, grams, V)
    assert found == pytest.approx([by_hand(text, n, gram) for gram in grams])


@pytest.mark.parametrize("n", [1, 2, 4])
def test_probabilities_after_any_context_sum_to_1(snippet, text, n):
    few = text[:60]  # so that many contexts are new
    grams = np.array(list(product(range(V), repeat=4)))
    p = snippet.probabilities(snippet.kneser_ney(few, n, V), grams, V)
    assert p.min() > 0
    assert p.reshape(-1, V).sum(axis=1) == pytest.approx(1)


def test_a_bigram_counted_by_hand(snippet):
    # The text is 0 1 0 1 0 2. After 0 came 1 twice and 2 once, so each count gives up one half.
    # Before 0 stood one word, before 1 one, before 2 one: the shorter context has a third each,
    # of which one half goes to equal shares.
    model = snippet.kneser_ney(np.array([0, 1, 0, 1, 0, 2]), 2, 3)
    p = snippet.probabilities(model, np.array([[0, 0], [0, 1], [0, 2]]), 3)
    assert p == pytest.approx([1 / 3 * 1 / 3, 1.5 / 3 + 1 / 3 * 1 / 3, 0.5 / 3 + 1 / 3 * 1 / 3])
