"""Smoothed n-grams against counts by hand and against dictionaries in pure Python."""

from collections import Counter, defaultdict
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

# aaaaabababca: aa 4 times, ab 3, ba 2, bc 1, ca 1; a 8 times, b 3, c 1. No d.
TEXT = np.array(["abcd".index(character) for character in "aaaaabababca"])


def grams_of(context, V):
    return np.array([[*context, character] for character in range(V)])


def every_context(length, V):
    return list(product(range(V), repeat=length))


# Codes and counts


def test_codes_are_digits_in_base_v(snippet):
    grams = np.array([[1, 2, 0], [0, 0, 2], [0, 0, 0]])
    assert snippet.codes(grams, 3).tolist() == [15, 2, 0]
    assert snippet.codes(np.zeros((2, 0), dtype=int), 3).tolist() == [0, 0]


def test_codes_that_do_not_fit_in_64_bits_are_refused(snippet):
    assert snippet.codes(np.full((1, 10), 62), 63).tolist() == [63**10 - 1]
    with pytest.raises(ValueError, match="found n = 11 with V = 63; at most n = 10 fits"):
        snippet.codes(np.full((1, 11), 62), 63)
    with pytest.raises(ValueError, match="found n = 63 with V = 2; at most n = 62 fits"):
        snippet.codes(np.ones((1, 63), dtype=int), 2)


def test_count_is_that_of_a_counter(snippet):
    seen, times = snippet.count(TEXT, 2, 4)
    assert dict(zip(seen.tolist(), times.tolist(), strict=True)) == {0: 4, 1: 3, 4: 2, 6: 1, 8: 1}
    assert seen.tolist() == sorted(seen.tolist())


def test_a_text_that_is_too_short_is_refused(snippet):
    assert snippet.count(TEXT[:3], 3, 4)[1].tolist() == [1]
    for models in (snippet.witten_bell_models, snippet.kneser_ney_models):
        with pytest.raises(ValueError, match="found a text of 3 characters; n = 4 needs"):
            models(TEXT[:3], 3, 4)


def test_lookup_finds_first_and_last_and_tells_what_is_missing(snippet):
    keys, values = np.array([2, 5, 9]), np.array([20, 50, 90])
    wanted = np.array([9, 0, 2, 6, 5, 10])
    assert snippet.lookup(keys, values, wanted, -1).tolist() == [90, -1, 20, -1, 50, -1]


def test_discounts_by_hand(snippet):
    # n1 = 4, n2 = 2, n3 = 1, n4 = 1 and a 7 that tells nothing: Y = 4 / (4 + 4) = 1/2.
    counts = np.array([1, 2, 1, 7, 3, 1, 4, 2, 1])
    d1 = 1 - 2 * Fraction(1, 2) * Fraction(2, 4)
    d2 = 2 - 3 * Fraction(1, 2) * Fraction(1, 2)
    d3 = 3 - 4 * Fraction(1, 2) * Fraction(1, 1)
    assert snippet.discounts(counts) == pytest.approx([0, float(d1), float(d2), float(d3)])
    # Eight counts of 3 to one of 2 would add to a count of 2, were there no limit.
    assert snippet.discounts(np.array([1] * 4 + [2] + [3] * 8 + [4]))[2] == 0


@pytest.mark.parametrize("counts", [[2, 3, 4], [1, 3, 4], [1, 2, 4], [9]])
def test_discounts_are_a_half_where_there_is_nothing_to_estimate_them(snippet, counts):
    assert snippet.discounts(np.array(counts)).tolist() == [0, 0.5, 0.5, 0.5]


# By hand


def test_witten_bell_by_hand(snippet):
    models = snippet.witten_bell_models(TEXT, 2, 4)
    quarter = Fraction(1, 4)
    p0 = [(8 + 3 * quarter) / 15, (3 + 3 * quarter) / 15, (1 + 3 * quarter) / 15, 3 * quarter / 15]
    after_a = [(4 + 2 * p0[0]) / 9, (3 + 2 * p0[1]) / 9, 2 * p0[2] / 9, 2 * p0[3] / 9]
    after_b = [(2 + 2 * p0[0]) / 5, 2 * p0[1] / 5, (1 + 2 * p0[2]) / 5, 2 * p0[3] / 5]
    after_c = [(1 + p0[0]) / 2, p0[1] / 2, p0[2] / 2, p0[3] / 2]
    after_aa = [(3 + 2 * after_a[0]) / 6, (1 + 2 * after_a[1]) / 6]
    after_aa += [2 * after_a[2] / 6, 2 * after_a[3] / 6]
    for context, expected in [
        ((), p0),
        ((0,), after_a),
        ((2,), after_c),
        ((3,), p0),  # d was never seen
        ((0, 0), after_aa),
        ((2, 0), after_a),  # ca ends the text: nothing came after it
        ((1, 1), after_b),  # bb was never seen, so b decides
    ]:
        ours = snippet.probabilities(models[len(context)], grams_of(context, 4), 4)
        assert sum(expected) == 1
        assert ours == pytest.approx([float(p) for p in expected], abs=1e-12), context


def test_kneser_ney_by_hand(snippet):
    models = snippet.kneser_ney_models(TEXT, 1, 4)
    # Pairs: n1 = 2, n2 = n3 = n4 = 1, so Y = 1/2, D1 = D2 = 1/2, D3 = 1.
    # Characters before a: a, b, c; before b: a; before c: b. No 2 among 3, 1, 1: discounts 1/2.
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    rest = 3 * half * quarter
    p0 = [(3 - half + rest) / 5, (1 - half + rest) / 5, (1 - half + rest) / 5, rest / 5]
    after_a = [(4 - 1 + 2 * p0[0]) / 7, (3 - 1 + 2 * p0[1]) / 7, 2 * p0[2] / 7, 2 * p0[3] / 7]
    after_b = [(2 - half + p0[0]) / 3, p0[1] / 3, (1 - half + p0[2]) / 3, p0[3] / 3]
    after_c = [1 - half + half * p0[0], half * p0[1], half * p0[2], half * p0[3]]
    for context, expected in enumerate([after_a, after_b, after_c, p0]):
        ours = snippet.probabilities(models[1], grams_of((context,), 4), 4)
        assert sum(expected) == 1
        assert ours == pytest.approx([float(p) for p in expected], abs=1e-12), context


def test_kneser_ney_counts_occurrences_where_the_context_is_longest(snippet):
    # Without a context that is the characters themselves: 8, 3 and 1, with discounts of 1/2.
    model = snippet.kneser_ney_models(TEXT, 1, 4)[0]
    ours = snippet.probabilities(model, grams_of((), 4), 4) * 12
    assert ours == pytest.approx([7.5 + 0.375, 2.5 + 0.375, 0.5 + 0.375, 0.375])


# Against dictionaries


def after(occurrences):
    """Counts of grams (tuples) as counts of the last character, by context."""
    table = defaultdict(dict)
    for gram, times in occurrences.items():
        table[gram[:-1]][gram[-1]] = times
    return table


def occurrences(text, n):
    return Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))


def oracle_witten_bell(text, context, character, V):
    shorter = oracle_witten_bell(text, context[1:], character, V) if context else 1 / V
    counts = after(occurrences(text, len(context) + 1)).get(context)
    if not counts:
        return shorter
    distinct = len(counts)
    return (counts.get(character, 0) + distinct * shorter) / (sum(counts.values()) + distinct)


def oracle_kneser_ney(text, context, character, V, longest=True):
    shorter = oracle_kneser_ney(text, context[1:], character, V, False) if context else 1 / V
    if longest:
        grams = occurrences(text, len(context) + 1)
    else:
        grams = Counter(gram[1:] for gram in set(occurrences(text, len(context) + 2)))
    n = Counter(grams.values())
    if n[1] and n[2] and n[3]:
        Y = n[1] / (n[1] + 2 * n[2])
        D = [max(0, c - (c + 1) * Y * n[c + 1] / n[c]) for c in (1, 2, 3)]
    else:
        D = [0.5, 0.5, 0.5]
    counts = after(grams).get(context)
    if not counts:
        return shorter
    held = sum(D[min(c, 3) - 1] for c in counts.values())
    c = counts.get(character, 0)
    kept = c - D[min(c, 3) - 1] if c else 0
    return (kept + held * shorter) / sum(counts.values())


ORACLES = {
    "witten_bell_models": oracle_witten_bell,
    "kneser_ney_models": oracle_kneser_ney,
}


def random_text(length=300):
    # Skewed, so that some contexts of 3 characters are frequent, some rare and some never seen.
    return np.random.default_rng(0).choice(4, size=length, p=[0.6, 0.25, 0.1, 0.05])


@pytest.mark.parametrize("kind", ORACLES)
@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_probabilities_are_those_of_the_oracle(snippet, kind, length):
    text, V = random_text(), 5  # the fifth character never occurs
    model = getattr(snippet, kind)(text, 3, V)[length]
    rng = np.random.default_rng(1)
    grams = rng.integers(V, size=(40, length + 1))
    grams[:20] = np.lib.stride_tricks.sliding_window_view(text, length + 1)[:20]
    expected = [ORACLES[kind](text.tolist(), tuple(g[:-1]), g[-1], V) for g in grams.tolist()]
    np.testing.assert_allclose(snippet.probabilities(model, grams, V), expected, rtol=1e-12)


def test_the_random_text_uses_estimated_discounts_and_unseen_contexts(snippet):
    """What the comparison above covers: without it the oracle could agree for a wrong reason."""
    text, V = random_text(), 5
    models = snippet.kneser_ney_models(text, 3, V)
    assert 0 < len(models[3][3].contexts) < 4**3
    taken = snippet.discounts(snippet.count(text, 4, V)[1])
    assert len({0.5, *taken.tolist()}) == 5
    assert (taken[1:] > 0).all()


# What holds for every model


@pytest.mark.parametrize("kind", ORACLES)
@pytest.mark.parametrize("text", [TEXT, random_text()], ids=["by hand", "random"])
def test_probabilities_sum_to_one_after_every_context(snippet, kind, text):
    V = 5
    for length, model in enumerate(getattr(snippet, kind)(text, 3, V)):
        for context in every_context(length, V):
            p = snippet.probabilities(model, grams_of(context, V), V)
            assert p.min() > 0, context
            assert p.sum() == pytest.approx(1, abs=1e-12), context


def test_only_the_end_of_a_gram_is_read_and_a_short_one_is_refused(snippet):
    model = snippet.witten_bell_models(TEXT, 2, 4)[1]
    long = np.array([[3, 3, 0, 1], [0, 2, 0, 1]])
    p = snippet.probabilities(model, long, 4)
    assert p[0] == p[1] == snippet.probabilities(model, long[:, 2:], 4)[0]
    with pytest.raises(ValueError, match="found n-grams with n = 1; the model needs n of at least"):
        snippet.probabilities(model, long[:, 3:], 4)


def test_shares_of_what_was_not_seen(snippet):
    level = snippet.witten_bell_models(TEXT, 1, 4)[1]
    kept, held = snippet.shares(level[1], snippet.codes(np.array([[0, 0], [0, 3], [3, 0]]), 4), 4)
    assert kept == pytest.approx([4 / 9, 0, 0])
    assert held == pytest.approx([2 / 9, 2 / 9, 1])


# Drawing


def test_samples_follow_the_probabilities(snippet):
    model = snippet.witten_bell_models(TEXT, 1, 4)[1]
    drawn = snippet.sample(model, [0], 4000, 4, np.random.default_rng(0))
    assert len(drawn) == 4001
    follows = drawn[1:][drawn[:-1] == 0]
    expected = snippet.probabilities(model, grams_of((0,), 4), 4)
    assert np.bincount(follows, minlength=4) / len(follows) == pytest.approx(expected, abs=0.03)


def test_a_sample_is_a_function_of_its_seed_and_begins_with_the_prime(snippet):
    model = snippet.kneser_ney_models(random_text(), 3, 4)[3]
    first, again, other = (
        snippet.sample(model, [0, 1, 0, 2], 50, 4, np.random.default_rng(seed)).tolist()
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first[:4] == [0, 1, 0, 2]


def test_a_model_without_context_needs_no_prime_and_others_do(snippet):
    models = snippet.witten_bell_models(TEXT, 2, 4)
    rng = np.random.default_rng(0)
    assert len(snippet.sample(models[0], [], 3, 4, rng)) == 3
    with pytest.raises(ValueError, match="found 1 characters to begin with; the context is 2"):
        snippet.sample(models[2], [0], 3, 4, rng)


def test_shakespeare_is_text_without_marks(snippet):
    text = snippet.shakespeare()
    assert "HAMLET:\nTo be, or not to be: that is the question:\n" in text
    assert not set("#_*[]\\") & set(text)
    assert len(set(text)) ** 9 < 2**63
