"""The recursion against the list of alignments and against torch; counts against closed forms."""

import math
from itertools import product

import pytest
import torch
from torch.nn import functional as F


def random_log_probabilities(T, V, seed=0):
    generator = torch.Generator().manual_seed(seed)
    outputs = torch.randn(T, V, dtype=torch.double, generator=generator)
    return outputs.requires_grad_(), outputs.log_softmax(-1)


@pytest.mark.parametrize(
    ("alignment", "labels"),
    [
        ((), []),
        ((0, 0, 0), []),
        ((1, 1, 1), [1]),
        ((0, 1, 1, 0), [1]),
        ((1, 0, 1), [1, 1]),
        ((1, 0, 0, 1, 1), [1, 1]),
        ((1, 1, 2, 2, 1), [1, 2, 1]),
        ((2, 0, 3, 3, 0, 3), [2, 3, 3]),
    ],
)
def test_an_alignment_is_merged_first_and_then_loses_its_blanks(snippet, alignment, labels):
    assert snippet.collapse(alignment) == labels


@pytest.mark.parametrize(
    ("labels", "frames"), [("", 0), ("a", 1), ("ab", 2), ("aa", 3), ("hello", 6), ("aaa", 5)]
)
def test_a_repeat_costs_a_frame(snippet, labels, frames):
    assert snippet.least_frames(labels) == frames


@pytest.mark.parametrize(("labels", "T"), [((1,), 5), ((1, 2), 6), ((3, 1, 2), 6), ((1, 2, 1), 5)])
def test_the_number_of_alignments_without_repeats(snippet, labels, T):
    assert len(snippet.alignments(labels, T, 4)) == math.comb(T + len(labels), 2 * len(labels))


@pytest.mark.parametrize("labels", [(), (1,), (1, 2), (1, 1), (2, 1, 2), (3, 3, 1), (1, 1, 1)])
@pytest.mark.parametrize("T", [5, 6])
def test_the_loss_is_the_sum_over_the_list(snippet, labels, T):
    outputs, table = random_log_probabilities(T, 4, seed=len(labels))
    paths = torch.tensor(snippet.alignments(labels, T, 4))
    expected = -table[torch.arange(T), paths].sum(1).logsumexp(0)
    loss = snippet.ctc_loss(table, labels)
    assert abs(loss - expected) < 1e-9
    slopes = [torch.autograd.grad(x, outputs, retain_graph=True)[0] for x in (loss, expected)]
    torch.testing.assert_close(*slopes, atol=1e-9, rtol=0)


@pytest.mark.parametrize("seed", range(6))
def test_the_loss_is_torchs_at_the_size_of_an_utterance(snippet, seed):
    outputs, table = random_log_probabilities(60, 10, seed)
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(1, 10, (20,), generator=generator).tolist()
    lengths = torch.tensor([60]), torch.tensor([20])
    expected = F.ctc_loss(table[:, None], torch.tensor([labels]), *lengths, reduction="sum")
    loss = snippet.ctc_loss(table, labels)
    assert abs(loss - expected) < 1e-9
    slopes = [torch.autograd.grad(x, outputs, retain_graph=True)[0] for x in (loss, expected)]
    torch.testing.assert_close(*slopes, atol=1e-9, rtol=0)


def test_the_gradient_is_that_of_differences(snippet):
    outputs, _ = random_log_probabilities(5, 4)
    assert torch.autograd.gradcheck(lambda x: snippet.ctc_loss(x.log_softmax(-1), (1, 1)), outputs)


@pytest.mark.parametrize(("labels", "T"), [((1, 1, 1, 1), 6), ((1, 1), 2), ((1, 2, 3), 2)])
def test_what_does_not_fit_has_an_infinite_loss_and_no_slope(snippet, labels, T):
    outputs, table = random_log_probabilities(T, 4)
    loss = snippet.ctc_loss(table, labels)
    assert loss == math.inf
    assert torch.autograd.grad(loss, outputs)[0].isfinite().all()


def test_all_labellings_sum_to_one(snippet):
    _, table = random_log_probabilities(4, 3)
    labellings = {tuple(snippet.collapse(path)) for path in product(range(3), repeat=4)}
    total = sum(math.exp(-snippet.ctc_loss(table.detach(), labels)) for labels in labellings)
    assert total == pytest.approx(1, abs=1e-9)


def test_the_lattice_jumps_over_a_blank_between_different_labels_alone(snippet):
    symbols, may_jump = snippet.lattice((1, 1, 2))
    assert symbols.tolist() == [0, 1, 0, 1, 0, 2, 0]
    assert may_jump.nonzero().flatten().tolist() == [5]


@pytest.mark.parametrize(
    ("labels", "message"),
    [((0,), r"\[0\] are not from 1 to 3"), ((1, 4, -1), r"\[4, -1\] are not from 1 to 3")],
)
def test_what_is_no_label(snippet, labels, message):
    with pytest.raises(ValueError, match=message):
        snippet.ctc_loss(torch.zeros(5, 4), labels)


def test_an_error_rate_is_over_the_whole_corpus_and_can_pass_one(snippet):
    assert snippet.error_rate([[1, 2, 3, 4, 5]], [[2, 3]]) == 3 / 2
    assert snippet.error_rate([[1], []], [[1], [1, 2, 3]]) == 3 / 4
    assert snippet.error_rate([[1, 2]], [[1, 2]]) == 0


def test_sequences_have_their_labels_in_the_sound(snippet):
    generator = torch.Generator().manual_seed(0)
    x, targets = snippet.sequences(20, 100 * torch.eye(6, 12), generator)
    assert x.shape[1:] == (20, 12)
    for k, labels in enumerate(targets):
        loud = x[:, k].max(1).values > 50
        heard = x[loud, k].argmax(1) + 1
        assert 3 <= len(labels) <= 6
        assert 2 * len(labels) <= len(heard) <= 5 * len(labels)
        assert set(heard.tolist()) == set(labels)
