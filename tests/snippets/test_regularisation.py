"""The word model against its parts by hand, its passes against one piece and one step by hand."""

import copy
import math
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

KNOWN = ["a", "b", "c", "d", "e"]


@pytest.fixture
def model(snippet):
    torch.manual_seed(0)
    return snippet.WordModel(6, 8, num_layers=2, dropout=0.5)


@pytest.fixture
def rows():
    return torch.randint(6, (51, 10), generator=torch.Generator().manual_seed(0))


def test_the_plays_have_the_known_number_of_words(snippet):
    words = snippet.shakespeare_words()
    assert len(words) == 171_070
    assert words.count("<eos>") == 24_684
    assert len(set(words)) == 10_866


def test_rows_are_pieces_of_the_text_side_by_side(snippet):
    words = [KNOWN[i % 5] for i in range(34)]
    rows = snippet.rows_of_words(words, KNOWN)
    assert rows.shape == (3, snippet.B)
    assert rows.t().flatten().tolist() == [i % 5 for i in range(30)]  # the last 4 are left over


def test_a_word_that_is_not_known_is_kept_as_the_index_after_the_known(snippet):
    rows = snippet.rows_of_words(["a", "zebra"] * 10, KNOWN)
    assert rows[0].tolist() == [0] * 10
    assert rows[1].tolist() == [5] * 10


def test_too_few_words_are_refused(snippet):
    snippet.rows_of_words(["a"] * 20, KNOWN)
    with pytest.raises(ValueError, match="found 19 words; 10 rows need at least 20"):
        snippet.rows_of_words(["a"] * 19, KNOWN)


def test_without_dropout_the_model_is_its_three_layers(model, rows):
    model.eval()
    hidden, (h, c) = model.lstm(model.embedding(rows))
    scores, state = model(rows)
    torch.testing.assert_close(scores, hidden @ model.decoder.weight.T + model.decoder.bias)
    torch.testing.assert_close(state, (h, c))


def test_all_weights_are_uniform_within_the_scale(snippet):
    torch.manual_seed(0)
    weights = snippet.WordModel(50, 20, init_scale=0.3).parameters()
    largest = [weight.abs().max().item() for weight in weights]
    assert all(0.25 < each <= 0.3 for each in largest), largest


@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_dropout_stands_before_the_first_layer_between_layers_and_after_the_last(
    snippet, num_layers
):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nn.LSTM warns of dropout with a single layer
        model = snippet.WordModel(6, 100, num_layers, dropout=0.5)
    assert model.lstm.dropout == (0.5 if num_layers > 1 else 0)
    nn.init.ones_(model.embedding.weight)
    seen = []

    class Layers(nn.Module):
        def forward(self, x, state):
            seen.append(x)
            return torch.ones_like(x), state

    model.lstm, model.decoder = Layers(), nn.Identity()
    out, _ = model(torch.zeros(20, 10, dtype=torch.long))
    for each in (seen[0], out):
        assert (each == 0).float().mean().item() == pytest.approx(0.5, abs=0.03)
    model.eval()
    assert (model(torch.zeros(20, 10, dtype=torch.long))[0] == 1).all()


def test_measuring_is_one_long_sequence_and_changes_nothing(snippet, model, rows):
    before = copy.deepcopy(model.state_dict())
    model.train()
    measured = snippet.pass_through(model, rows)
    model.eval()
    scores = model(rows[:-1])[0].flatten(0, 1)
    expected = F.cross_entropy(scores, rows[1:].flatten()).exp().item()
    assert measured == pytest.approx(expected, rel=1e-5)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_one_block_is_one_step_on_the_sum_over_time_and_the_mean_over_rows(
    snippet, model, rows, max_norm
):
    model.dropout.p = model.lstm.dropout = 0.0
    rows, rate = rows[: snippet.T + 1], 0.7
    by_hand = copy.deepcopy(model)
    losses = F.cross_entropy(
        by_hand(rows[:-1])[0].transpose(1, 2), rows[1:], reduction="none"
    )  # (T, B)
    losses.sum(dim=0).mean().backward()
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in by_hand.parameters()))
    assert norm > 0.5  # so that one of the two cases is clipped
    scale = min(1, max_norm / norm)
    expected = [p.detach() - rate * scale * p.grad for p in by_hand.parameters()]

    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    perplexity = snippet.pass_through(model, rows, optimizer, max_norm)
    assert perplexity == pytest.approx(losses.mean().exp().item(), rel=1e-5)
    for found, value in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(found.detach(), value, atol=1e-6, rtol=1e-4)


def test_training_has_dropout_on_and_measuring_has_it_off(snippet, model, rows):
    still = torch.optim.SGD(model.parameters(), lr=0.0)
    nn.init.normal_(model.embedding.weight, std=5)
    nn.init.normal_(model.decoder.weight, std=5)
    trained = {snippet.pass_through(model, rows, still) for _ in range(3)}
    measured = {snippet.pass_through(model, rows) for _ in range(3)}
    assert len(trained) == 3
    assert len(measured) == 1


def test_the_learning_rate_is_halved_after_the_full_epochs(snippet, monkeypatch):
    rates, sgd = [], torch.optim.SGD

    def recorded(parameters, lr):
        rates.append(lr)
        return sgd(parameters, lr=lr)

    monkeypatch.setattr(torch.optim, "SGD", recorded)
    words = KNOWN * 12
    history = snippet.train(words, words[:20], 0.0, 2, 5, learning_rate=0.8)
    assert rates == pytest.approx([0.8, 0.8, 0.4, 0.2, 0.1])
    assert len(history) == 5


def test_training_is_a_function_of_its_seed_and_learns(snippet):
    words = KNOWN * 20
    first, again, other = (
        snippet.train(words, words[:30], 0.5, 3, 3, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert first[-1][0] < first[0][0] < 1000


def test_comparing_trains_without_dropout_first(snippet, monkeypatch, capsys):
    asked = []

    def pretended(words, held_out, dropout, full_epochs, epochs):
        asked.append((dropout, full_epochs, epochs))
        return [(99.0, 99.0, 99.0), (20.0 + dropout, 50.0, 30.0)]

    monkeypatch.setitem(snippet.compare.__globals__, "train", pretended)
    histories = snippet.compare(["a"] * 1000, ["a"], 0.5, 1, 2)
    assert asked == [(0.0, 1, 2), (0.5, 1, 2)]
    assert [history[-1][0] for history in histories] == [20.0, 20.5]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1,000 words, perplexities after epoch 2"
    assert lines[2].split() == ["0", "20.0", "50.0", "2.50", "30.0"]
    assert lines[3].split() == ["0.5", "20.5", "50.0", "2.44", "30.0"]
