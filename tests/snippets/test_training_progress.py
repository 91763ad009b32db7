"""Rows, training and sampling against torch's own modules, and the measures against hand counts."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY = "\nabcd"


def small_model(snippet, hidden_size=6):
    torch.manual_seed(0)
    return snippet.CharRNN(len(VOCABULARY), embedding_size=3, hidden_size=hidden_size)


# The model and its text


def test_the_model_is_torchs_lstm_between_embedding_and_decoder(snippet):
    model = small_model(snippet)
    plain = nn.LSTM(3, 6)
    plain.load_state_dict(model.rnn.state_dict())
    x = torch.randint(5, (7, 2))
    scores, state = model(x)
    hidden, expected = plain(model.embedding.weight[x])
    torch.testing.assert_close(scores, hidden @ model.decoder.weight.T + model.decoder.bias)
    torch.testing.assert_close(state, expected)
    first, middle = model(x[:4])
    second, end = model(x[4:], middle)
    torch.testing.assert_close(torch.cat([first, second]), scores)
    torch.testing.assert_close(end, state)


def test_the_forget_gates_start_with_a_bias_of_one_and_the_others_do_not(snippet):
    i, f, g, o = small_model(snippet).rnn.bias_ih_l0.detach().chunk(4)
    assert f.tolist() == [1.0] * 6
    assert max(part.abs().max().item() for part in (i, g, o)) <= 1 / math.sqrt(6)


def test_rows_are_contiguous_and_targets_are_the_next_characters(snippet):
    inputs, targets = snippet.rows("abcdabcdabc", "abcd", batch_size=3)
    assert ["".join("abcd"[k] for k in row) for row in inputs.T.tolist()] == ["abc", "dab", "cda"]
    assert ["".join("abcd"[k] for k in row) for row in targets.T.tolist()] == ["bcd", "abc", "dab"]


def test_rows_refuse_a_character_that_the_vocabulary_lacks(snippet):
    with pytest.raises(KeyError, match="z"):
        snippet.rows("abz", "abc", batch_size=1)


def test_shakespeare_is_text_without_marks(snippet):
    text = snippet.shakespeare()
    assert 700_000 < len(text) < 900_000
    assert "HAMLET:\nTo be, or not to be: that is the question:\n" in text
    assert not set("#_*[]\\") & set(text)


# Training


def test_the_learning_rate_starts_above_zero_peaks_and_ends_at_zero(snippet):
    rates = [snippet.learning_rate(step, 1000, peak=0.5) for step in range(1001)]
    assert rates[0] == pytest.approx(0.5 / 20, rel=1e-6)
    assert rates[:20] == sorted(rates[:20])
    assert max(rates) == rates[19] == pytest.approx(0.5, rel=2e-3)
    assert rates[19:] == sorted(rates[19:], reverse=True)
    assert rates[500] == pytest.approx(0.25)
    assert 0 < rates[999] < 1e-5
    assert rates[1000] == pytest.approx(0, abs=1e-15)


def test_a_loss_is_measured_before_its_step_and_the_state_is_carried_over(snippet):
    model = small_model(snippet)
    inputs, targets = snippet.rows("abcd\n" * 8 + "a", VOCABULARY, batch_size=2)  # 20 long
    training = snippet.train(model, inputs, targets, steps=4, sequence_length=8)
    state = None
    for start in (0, 8, 0):  # the third piece would be too short: begin again
        with torch.no_grad():
            x, y = (part[start : start + 8] for part in (inputs, targets))
            scores, state = model(x, state if start else None)
            expected = F.cross_entropy(scores.flatten(0, 1), y.flatten()).item()
            without = snippet.mean_loss(model, x, y)
        assert next(training) == pytest.approx(expected, rel=1e-5)
        assert (abs(without - expected) > 1e-4) == (start == 8)


def test_the_first_step_is_that_of_torchs_adam_with_clipped_gradients(snippet):
    model, twin = small_model(snippet), small_model(snippet)
    with torch.no_grad():  # wrong scores that are large, so that the clip has something to do
        for network in (model, twin):
            network.decoder.weight.mul_(300)
    inputs, targets = snippet.rows("abcd\n" * 4, VOCABULARY, batch_size=2)
    next(snippet.train(model, inputs, targets, steps=10, sequence_length=4))
    loss = F.cross_entropy(twin(inputs[:4])[0].flatten(0, 1), targets[:4].flatten())
    loss.backward()
    norm = math.sqrt(sum(w.grad.square().sum().item() for w in twin.parameters()))
    assert norm > 2
    for weight in twin.parameters():
        weight.grad /= norm
    torch.optim.Adam(twin.parameters(), lr=0.01 / 20).step()
    for (name, ours), expected in zip(model.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, expected, msg=name)


def test_training_ends_after_its_steps_and_learns_a_cycle(snippet):
    inputs, targets = snippet.rows("abacad\n" * 60, VOCABULARY, batch_size=4)
    model = small_model(snippet, hidden_size=24)
    losses = list(snippet.train(model, inputs, targets, steps=150, sequence_length=16))
    assert len(losses) == 150
    assert losses[0] == pytest.approx(math.log(5), abs=0.3)
    assert losses[-1] < 0.3 < 3 * math.log(3) / 7, losses[-1]  # the least without a memory


def test_two_trainings_from_one_seed_are_the_same(snippet):
    data = snippet.rows("abacad\n" * 20, VOCABULARY, batch_size=4)
    first, second = (list(snippet.train(small_model(snippet), *data, 5, 16)) for _ in range(2))
    assert first == second


def test_rows_shorter_than_a_step_are_refused(snippet):
    inputs, targets = snippet.rows("abcd" * 10, VOCABULARY, batch_size=2)
    with pytest.raises(ValueError, match="rows of 19 characters; a step needs 20"):
        next(snippet.train(small_model(snippet), inputs, targets, 1, sequence_length=20))


def test_mean_loss_of_equal_scores_is_that_of_guessing(snippet):
    model = small_model(snippet)
    inputs, targets = snippet.rows("abcd\n" * 8, VOCABULARY, batch_size=3)
    scores = model(inputs)[0].log_softmax(dim=2)
    expected = -scores.gather(2, targets.unsqueeze(2)).mean().item()
    assert snippet.mean_loss(model, inputs, targets) == pytest.approx(expected, rel=1e-5)
    model.decoder.weight.detach().zero_()
    model.decoder.bias.detach().fill_(2.5)
    assert snippet.mean_loss(model, inputs, targets) == pytest.approx(math.log(5))


# Sampling


def test_a_sample_is_a_function_of_the_seed(snippet):
    model = small_model(snippet)
    first = snippet.sample(model, VOCABULARY, length=50, batch_size=3, seed=4)
    assert [len(text) for text in first] == [50] * 3
    assert len(set(first)) == 3
    assert first == snippet.sample(model, VOCABULARY, length=50, batch_size=3, seed=4)
    assert first != snippet.sample(model, VOCABULARY, length=50, batch_size=3, seed=5)


def test_samples_follow_the_probabilities(snippet):
    model = small_model(snippet)
    model.decoder.weight.detach().zero_()
    model.decoder.bias.data = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.0]).log()
    text = "".join(snippet.sample(model, VOCABULARY, length=50, batch_size=200))
    shares = [text.count(character) / len(text) for character in VOCABULARY]
    assert shares == pytest.approx([0.1, 0.2, 0.3, 0.4, 0], abs=0.02)


def test_a_drawn_character_is_the_next_input_of_its_own_text(snippet):
    inputs, targets = snippet.rows("abcd\n" * 100, VOCABULARY, batch_size=4)
    model = small_model(snippet)
    list(snippet.train(model, inputs, targets, steps=150, sequence_length=16))
    model.decoder.weight.data *= 5  # nearly certain, so that chance plays no part
    model.decoder.bias.data *= 5
    assert snippet.sample(model, VOCABULARY, length=13, batch_size=2) == ["abcd\nabcd\nabc"] * 2


def test_sampling_needs_a_line_break_to_begin_with(snippet):
    with pytest.raises(ValueError, match="not found"):
        snippet.sample(small_model(snippet), "abcde", length=1)


# Measures


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'Tis o'er, my lord--come!", ["'Tis", "o'er", "my", "lord", "come"]),
        ("HAMLET:\nAy, 2 ' '' x", ["HAMLET", "Ay", "x"]),
        ("!? 1\n", []),
    ],
)
def test_words_are_runs_of_letters_and_apostrophes(snippet, text, expected):
    assert snippet.words(text) == expected


def test_white_share_counts_spaces_and_line_breaks(snippet):
    assert snippet.white_share("a b\nc  .") == 4 / 8
    assert snippet.white_share("abc") == 0


def test_real_share_by_hand(snippet):
    known = {"the", "king", "is", "o'er", "a"}
    text = "the kign is o'er, The king a a sleeping"  # not real: kign, The, sleeping
    assert snippet.real_share(text, known) == pytest.approx(6 / 9)
    assert snippet.real_share(text, known, 1, 3) == pytest.approx(4 / 5)
    assert snippet.real_share(text, known, 4, 4) == pytest.approx(2 / 3)
    assert snippet.real_share(text, known, 5) == 0


def test_real_share_of_no_words_is_refused(snippet):
    with pytest.raises(ValueError, match="no words of 5 to inf characters in 'a b c'"):
        snippet.real_share("a b c", {"a"}, 5)


def test_counting_loss_by_hand(snippet):
    assert snippet.counting_loss("abcd" * 5, 0) == pytest.approx(math.log(4))
    assert snippet.counting_loss("abcd" * 5, 1) == 0
    quarter = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert snippet.counting_loss("aaab", 0) == pytest.approx(quarter)
    # After an a: b twice, c once; after b and c: always an a.
    thirds = -(2 * math.log(2 / 3) + math.log(1 / 3))
    assert snippet.counting_loss("abacaba", 1) == pytest.approx(thirds / 6)


def test_counting_loss_is_the_least_loss_of_a_table_of_scores(snippet):
    text = "abbcabdacbdacbabdcbabcadbcbd"
    x, y = (torch.tensor(["abcd".index(c) for c in text[k : len(text) - 1 + k]]) for k in (0, 1))
    counts = torch.zeros(4, 4).index_put((x, y), torch.ones(()), accumulate=True)
    expected = F.cross_entropy(counts.log()[x], y).item()
    assert snippet.counting_loss(text, 1) == pytest.approx(expected, rel=1e-5)
    assert expected < F.cross_entropy((counts + 0.1).log()[x], y).item()
