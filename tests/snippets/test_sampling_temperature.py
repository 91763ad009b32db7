"""Temperature, drawing and the three measures against closed forms, torch and counts by hand."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F


class Fixed(nn.Module):
    """No network: the scores after a character are a row of a table; notes what it is fed."""

    def __init__(self, table):
        super().__init__()
        self.table, self.seen = torch.as_tensor(table), []

    def forward(self, x, state=None):
        self.seen.append((x.clone(), state))
        return self.table[x], (state or 0) + len(x)


def small_model(snippet, V=7):
    torch.manual_seed(0)
    return snippet.CharRNN(V, hidden_size=6, embedding_size=5)


# Temperature


def test_three_probabilities_in_closed_form(snippet):
    scores = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64).log()
    ours = snippet.probabilities_at(0.5, scores).tolist()
    assert ours == pytest.approx([0.49 / 0.54, 0.04 / 0.54, 0.01 / 0.54])
    assert [round(p, 3) for p in ours] == [0.907, 0.074, 0.019]
    assert snippet.probabilities_at(1, scores).tolist() == pytest.approx([0.7, 0.2, 0.1])
    roots = [math.sqrt(p) for p in (0.7, 0.2, 0.1)]
    assert snippet.probabilities_at(2, scores).tolist() == pytest.approx(
        [root / sum(roots) for root in roots]
    )


@pytest.mark.parametrize("temperature", [0.1, 0.8, 1, 3.0])
def test_probabilities_are_torchs_softmax_of_the_divided_scores(snippet, temperature):
    torch.manual_seed(0)
    scores = 4 * torch.randn(3, 5, 11)
    ours = snippet.probabilities_at(temperature, scores)
    torch.testing.assert_close(ours, torch.softmax(scores / temperature, dim=2))
    powers = scores.softmax(2).double() ** (1 / temperature)
    torch.testing.assert_close(
        ours.double(), powers / powers.sum(2, keepdim=True), atol=1e-6, rtol=0
    )


def test_towards_zero_all_goes_to_the_argmax(snippet):
    torch.manual_seed(0)
    scores = torch.randn(20, 9)
    expected = F.one_hot(scores.argmax(1), 9).float()
    torch.testing.assert_close(snippet.probabilities_at(1e-5, scores), expected)


@pytest.mark.parametrize("temperature", [0, 0.0, -0.5, math.nan])
def test_a_temperature_that_is_not_above_zero_is_named(snippet, temperature):
    with pytest.raises(ValueError, match=f"found a temperature of {temperature}; it must be above"):
        snippet.probabilities_at(temperature, torch.zeros(3))
    with pytest.raises(ValueError, match=f"found a temperature of {temperature}"):
        snippet.sample(small_model(snippet), torch.zeros(1, 1, dtype=torch.long), 1, temperature, 0)


# Entropy


def test_entropy_of_certainty_and_of_ignorance(snippet):
    p = torch.stack([torch.full((63,), 1 / 63), F.one_hot(torch.tensor(5), 63).float()])
    assert snippet.entropy(p).tolist() == pytest.approx([math.log(63), 0], abs=1e-6)


def test_entropy_is_torchs(snippet):
    torch.manual_seed(0)
    p = torch.randn(4, 6, 9).softmax(2)
    torch.testing.assert_close(snippet.entropy(p), torch.distributions.Categorical(p).entropy())


# The network


def test_the_model_is_torchs_lstm_between_embedding_and_decoder(snippet):
    model = small_model(snippet)
    x = torch.randint(7, (5, 3))
    scores, state = model(x)
    hidden, expected = model.rnn(model.embedding.weight[x])
    torch.testing.assert_close(scores, hidden @ model.decoder.weight.T + model.decoder.bias)
    torch.testing.assert_close(state, expected)
    torch.testing.assert_close(model(x[3:], model(x[:3])[1])[0], scores[3:])
    i, f, g, o = model.rnn.bias_ih_l0.chunk(4)
    assert f.tolist() == [1.0] * 6
    assert max(part.abs().max() for part in (i, g, o)) <= 1 / math.sqrt(6)


def test_rows_are_contiguous_and_targets_are_one_further(snippet):
    inputs, targets = snippet.rows(torch.arange(12), 3)
    assert inputs.T.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert targets.T.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_the_first_step_is_that_of_torchs_adam_on_the_clipped_gradient(snippet):
    model, twin = small_model(snippet), small_model(snippet)
    text = torch.randint(7, (41,))
    inputs, targets = text[:40].view(4, 10).T[:8], text[1:].view(4, 10).T[:8]
    loss = F.cross_entropy(twin(inputs)[0].flatten(0, 1), targets.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
    torch.optim.Adam(twin.parameters(), lr=0.05 / 20, betas=(0.9, 0.99)).step()
    losses = snippet.train(model, text, steps=1, B=4, T=8, peak=0.05)
    assert losses == pytest.approx([loss.item()])
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_training_hands_the_state_on_until_the_text_begins_anew(snippet):
    model, states = small_model(snippet), []
    forward = model.forward
    model.forward = lambda x, state: states.append(state) or forward(x, state)
    snippet.train(model, torch.randint(7, (4 * 26 + 1,)), steps=7, B=4, T=8)
    assert [state is None for state in states] == [True, False, False] * 2 + [True]
    assert states[1][0].shape == (1, 4, 6)
    assert not states[1][0].requires_grad


def test_training_learns_a_cycle(snippet):
    text = torch.tensor([0, 1, 2, 1, 3, 1] * 60)
    losses = snippet.train(small_model(snippet), text, steps=200, B=4, T=8, peak=0.03)
    assert len(losses) == 200
    assert losses[0] == pytest.approx(math.log(7), abs=0.5)
    assert losses[-1] < 0.1


def test_a_text_that_does_not_fill_a_step_is_refused(snippet):
    assert len(snippet.train(small_model(snippet), torch.zeros(33).long(), 2, B=4, T=8)) == 2
    with pytest.raises(ValueError, match="found 32 characters; a step needs at least 33"):
        snippet.train(small_model(snippet), torch.zeros(32).long(), 2, B=4, T=8)


# Drawing


def test_frequencies_agree_with_the_probabilities(snippet):
    scores = torch.tensor([[0.7, 0.2, 0.1]]).log().expand(3, 3)
    drawn, entropies = snippet.sample(Fixed(scores), torch.zeros(1, 4000).long(), 5, 0.5, seed=0)
    assert drawn.shape == entropies.shape == (5, 4000)
    shares = torch.bincount(drawn.flatten(), minlength=3) / drawn.numel()
    expected = torch.tensor([0.49, 0.04, 0.01]) / 0.54
    assert shares.tolist() == pytest.approx(expected.tolist(), abs=0.01)  # five deviations or more
    h = -(expected * expected.log()).sum().item()
    assert entropies.flatten().tolist() == pytest.approx([h] * 20_000, abs=1e-5)


def test_each_row_is_fed_what_it_has_drawn_and_its_state(snippet):
    following = torch.tensor([1, 2, 3, 4, 0])  # the only character that can follow each
    model = Fixed(1000.0 * F.one_hot(following, 5))
    prime = torch.tensor([[4, 4, 4], [0, 3, 1]])
    drawn, entropies = snippet.sample(model, prime, 4, 1.0, seed=0)
    assert drawn.T.tolist() == [[1, 2, 3, 4], [4, 0, 1, 2], [2, 3, 4, 0]]
    assert entropies.abs().max() == 0
    fed, states = zip(*model.seen, strict=True)
    assert torch.equal(torch.cat(fed), torch.cat([prime, drawn[:-1]]))
    assert states == (None, 2, 3, 4)


def test_one_seed_gives_one_text(snippet):
    model, prime = small_model(snippet), torch.zeros(3, 4, dtype=torch.long)
    first, again, other = (snippet.sample(model, prime, 30, 1.0, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[:, 0], first[:, 1])


def test_the_coldest_text_is_the_argmax(snippet):
    model, prime = small_model(snippet), torch.tensor([[2], [5]])
    drawn, entropies = snippet.sample(model, prime, 20, 1e-6, seed=0)
    text = torch.cat([prime, drawn])
    scores, _ = model(text[:-1])
    assert torch.equal(scores[1:].argmax(2), drawn)
    assert entropies.max() < 0.1


# The measures


def test_words_are_runs_of_letters_and_apostrophes(snippet):
    assert snippet.words("LEAR:\nThou'rt come--'tis 2 a_b!\n") == [
        *("lear", "thou'rt", "come", "'tis", "a", "b"),
    ]
    assert snippet.words(" ?! ") == []


def test_known_share_by_hand(snippet):
    assert snippet.known_share(["the", "the", "strath", "king"], {"the", "king", "a"}) == 0.75
    assert snippet.known_share(["x"], {"the"}) == 0
    with pytest.raises(ValueError, match="found no words; their share needs at least one"):
        snippet.known_share([], {"the"})


def test_distinct_share_by_hand(snippet):
    assert snippet.distinct_share("abcabcabc", 3) == 3 / 7  # abc, bca, cab among seven runs
    assert snippet.distinct_share("a" * 10) == 1 / 5
    assert snippet.distinct_share("abcdefg") == 1
    assert snippet.distinct_share("abcdef") == 1
    with pytest.raises(ValueError, match="found a text of 5 characters; it needs at least 6"):
        snippet.distinct_share("abcde")


def test_shakespeare_is_text_without_marks(snippet):
    text = snippet.shakespeare()
    assert "HAMLET:\nTo be, or not to be: that is the question:\n" in text
    assert not set("#_*[]\\") & set(text)
