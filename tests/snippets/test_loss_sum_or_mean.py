"""The two losses against torch's, the step against torch's optimiser, perplexities by hand."""

import copy
import math
from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn import functional as F

KNOWN = ["a", "b", "c", "d", "e"]


@pytest.fixture
def model(snippet):
    torch.manual_seed(0)
    return snippet.WordModel(6, 5, init_scale=1.0).double()


@pytest.fixture
def rows(snippet):
    return torch.randint(6, (45, snippet.B), generator=torch.Generator().manual_seed(0))


def test_the_plays_have_the_known_number_of_words(snippet):
    words = snippet.shakespeare_words()
    assert len(words) == 171_070
    assert words.count("<eos>") == 24_684


def test_rows_are_pieces_of_the_text_side_by_side(snippet):
    words = [KNOWN[i % 5] for i in range(30)]
    rows = snippet.rows_of_words(words, KNOWN)
    assert rows.shape == (3, snippet.B)
    assert rows.t().flatten().tolist() == [i % 5 for i in range(24)]  # the last 6 are left over


def test_a_word_that_is_not_known_is_kept_as_the_index_after_the_known(snippet):
    rows = snippet.rows_of_words(["a", "zebra"] * 8, KNOWN)
    assert rows.tolist() == [[0] * 8, [5] * 8]


def test_too_few_words_are_refused(snippet):
    snippet.rows_of_words(["a"] * 16, KNOWN)
    with pytest.raises(ValueError, match="found 15 words; 8 rows need at least 16"):
        snippet.rows_of_words(["a"] * 15, KNOWN)


def test_the_model_is_its_three_layers(model, rows):
    hidden, (h, c) = model.lstm(model.embedding(rows))
    scores, state = model(rows)
    torch.testing.assert_close(scores, hidden @ model.decoder.weight.T + model.decoder.bias)
    torch.testing.assert_close(state, (h, c))


@pytest.mark.parametrize("T", [1, 7, 20])
def test_both_losses_average_over_rows_and_only_one_over_time(snippet, T):
    torch.manual_seed(0)
    scores, targets = torch.randn(T, 3, 6).double(), torch.randint(6, (T, 3))
    each = F.cross_entropy(scores.transpose(1, 2), targets, reduction="none")  # (T, B)
    for over_time, expected in (("sum", each.sum(dim=0)), ("mean", each.mean(dim=0))):
        ours = snippet.block_loss(scores, targets, over_time)
        torch.testing.assert_close(ours, expected.mean())


def test_another_word_than_sum_or_mean_is_refused(snippet):
    with pytest.raises(ValueError, match='over_time is \'total\'; it can be "sum" or "mean"'):
        snippet.block_loss(torch.zeros(2, 3, 6), torch.zeros(2, 3, dtype=torch.long), "total")


@pytest.mark.parametrize("max_norm", [0.01, 0.3, 1e9])
def test_a_step_is_that_of_torch_with_its_clipping(snippet, model, rows, max_norm):
    theirs = copy.deepcopy(model)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=3.0)
    snippet.block_loss(theirs(rows[:20])[0], rows[1:21], "mean").backward()
    norm = nn.utils.clip_grad_norm_(theirs.parameters(), max_norm).item()
    optimizer.step()
    assert 0.3 < norm < 1e9  # so that two of the three cases are clipped

    loss = snippet.block_loss(model(rows[:20])[0], rows[1:21], "mean")
    assert snippet.step(model, loss, 3.0, max_norm) == pytest.approx(norm, rel=1e-12)
    for ours, other in zip(model.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours, other, atol=3e-6, rtol=0)  # torch adds 1e-6 to the norm


def test_a_clipped_step_has_exactly_the_length_of_rate_times_limit(snippet, model, rows):
    before = [weight.detach().clone() for weight in model.parameters()]
    snippet.step(model, snippet.block_loss(model(rows[:-1])[0], rows[1:], "sum"), 3.0, 0.25)
    moved = [w.detach() - old for w, old in zip(model.parameters(), before, strict=True)]
    assert nn.utils.get_total_norm(moved).item() == pytest.approx(0.75, rel=1e-9)


@pytest.mark.parametrize("max_norm", [1.0, 1e9])
def test_the_sum_and_the_mean_with_both_numbers_changed_take_the_same_steps(
    snippet, model, rows, max_norm
):
    other = copy.deepcopy(model)
    for x, y in ((rows[:20], rows[1:21]), (rows[20:40], rows[21:41])):
        snippet.step(model, snippet.block_loss(model(x)[0], y, "sum"), 0.1, max_norm)
        snippet.step(other, snippet.block_loss(other(x)[0], y, "mean"), 2.0, max_norm / 20)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=0)


def test_the_first_loss_of_training_is_that_of_the_weights_at_the_start(snippet, rows):
    torch.manual_seed(3)
    start = snippet.WordModel(snippet.V, snippet.H)
    expected = snippet.block_loss(start(rows[:20])[0], rows[1:21], "mean").item()
    found = {way: snippet.train(rows, way, 0.0, 5.0, seed=3) for way in ("sum", "mean")}
    for losses, norms in found.values():
        assert len(losses) == len(norms) == 3  # blocks of 20, 20 and 4 steps
        assert losses[0] == pytest.approx(expected, rel=1e-5)
    assert found["sum"][0] == pytest.approx(found["mean"][0], rel=1e-5)
    factors = [a / b for a, b in zip(found["sum"][1], found["mean"][1], strict=True)]
    assert factors == pytest.approx([20, 20, 4], rel=1e-4)


def test_without_steps_the_losses_are_those_of_one_long_sequence(snippet, rows):
    torch.manual_seed(3)
    start = snippet.WordModel(snippet.V, snippet.H)
    nats = F.cross_entropy(start(rows[:-1])[0].transpose(1, 2), rows[1:], reduction="none")
    expected = [part.mean().item() for part in nats.split(20)]
    assert snippet.train(rows, "sum", 0.0, 5.0, seed=3)[0] == pytest.approx(expected, rel=1e-5)


def test_training_is_a_function_of_its_seed_and_learns(snippet):
    words = KNOWN * 200
    rows = snippet.rows_of_words(words, KNOWN)
    first, again, other = (snippet.train(rows, "sum", 1.0, 5.0, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first[0][-1] < first[0][0] / 2


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([math.log(8), math.log(2)], 4.0),
        ([0.0], 1.0),
        ([710.0, 800.0], math.inf),
        ([1.0, math.inf], math.inf),
        ([1.0, math.nan], math.inf),
    ],
)
def test_perplexity_is_a_geometric_mean_and_infinite_where_there_is_none(snippet, losses, expected):
    assert snippet.perplexity(losses) == pytest.approx(expected)


def test_unigram_perplexity_is_that_of_a_counter(snippet):
    words = ["a", "b", "a", "c", "a", "a", "b", "e"] * 4
    rows = snippet.rows_of_words(words, ["a", "b", "c"])
    shares = {index: n / 32 for index, n in Counter(rows.flatten().tolist()).items()}
    some = rows[-2:]
    nats = [-math.log(shares[index]) for index in some.flatten().tolist()]
    expected = math.exp(sum(nats) / len(nats))
    assert snippet.unigram_perplexity(rows, some) == pytest.approx(expected)
    assert shares == {0: 0.5, 1: 0.25, 2: 0.125, 3: 0.125}
