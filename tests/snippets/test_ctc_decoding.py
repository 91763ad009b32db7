"""The search against the list of all alignments and against torch's loss."""

import math

import pytest
import torch
from torch.nn import functional as F


def random_table(T, V, seed=0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(T, V, dtype=torch.double, generator=generator)).log_softmax(1)


def certain(symbols, V):
    """Frames that leave no doubt."""
    return torch.eye(V, dtype=torch.double)[list(symbols)].log()


@pytest.mark.parametrize(
    ("alignment", "labels"),
    [((), ()), ((0, 0), ()), ((1, 1, 0, 1), (1, 1)), ((2, 2, 1, 1, 0), (2, 1)), ((0, 3), (3,))],
)
def test_certain_frames_are_read_alike_by_all(snippet, alignment, labels):
    assert snippet.collapse(alignment) == labels
    if alignment:
        table = certain(alignment, 4)
        assert snippet.best_path(table) == labels
        for width in (1, 5):
            best = snippet.prefix_beam_search(table, width)[0]
            assert best == (labels, 0.0)


def test_two_frames_where_the_best_path_is_wrong(snippet):
    table = torch.tensor([[0.6, 0.4], [0.6, 0.4]], dtype=torch.double).log()
    assert snippet.best_path(table) == ()
    found = snippet.prefix_beam_search(table, width=2)
    assert [labels for labels, _ in found] == [(1,), ()]
    assert [math.exp(score) for _, score in found] == pytest.approx([0.64, 0.36])


@pytest.mark.parametrize(("T", "V"), [(1, 3), (4, 2), (5, 3), (6, 4)])
def test_a_wide_beam_is_the_list(snippet, T, V):
    table = random_table(T, V)
    exact = snippet.every_labelling(table)
    found = snippet.prefix_beam_search(table, width=10_000)
    assert dict(found).keys() == exact.keys()
    assert all(score == pytest.approx(exact[labels], abs=1e-9) for labels, score in found)
    assert [score for _, score in found] == pytest.approx(sorted(exact.values(), reverse=True))


def test_the_list_is_torchs_loss(snippet):
    table = random_table(6, 4, seed=3)
    for labels, score in snippet.every_labelling(table).items():
        lengths = torch.tensor([6]), torch.tensor([len(labels)])
        target = torch.tensor([labels], dtype=torch.long).reshape(1, -1)
        loss = F.ctc_loss(table[:, None], target, *lengths, reduction="sum")
        assert score == pytest.approx(-loss.item(), abs=1e-9)


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_a_narrow_beam_gives_lower_bounds(snippet, width, seed):
    table = random_table(6, 4, seed)
    exact = snippet.every_labelling(table)
    found = snippet.prefix_beam_search(table, width)
    assert len(found) == width
    assert all(score <= exact[labels] + 1e-9 for labels, score in found)


def test_a_symbol_without_any_probability_is_never_written(snippet):
    table = torch.tensor([[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]], dtype=torch.double).log()
    found = dict(snippet.prefix_beam_search(table, width=100))
    assert found.keys() == {(), (1,)}
    assert sum(map(math.exp, found.values())) == pytest.approx(1)


def test_no_frames_are_no_labels(snippet):
    assert snippet.prefix_beam_search(torch.zeros(0, 4), width=3) == [((), 0.0)]


@pytest.mark.parametrize(
    ("table", "width", "message"),
    [
        (torch.zeros(2, 3).log_softmax(1), 0, "width 0 keeps nothing; 1 is the least"),
        (torch.zeros(2, 1, 3).log_softmax(2), 1, r"\(2, 1, 3\) is not \(T, V\)"),
        (torch.tensor([[0.5, 0.5], [0.5, 0.6]]).log(), 1, "frame 1 adds up to 1.100, not to 1"),
        (torch.zeros(2, 3), 1, "frame 0 adds up to 3.000, not to 1; take log_softmax"),
    ],
)
def test_what_cannot_be_searched(snippet, table, width, message):
    with pytest.raises(ValueError, match=message):
        snippet.prefix_beam_search(table, width)
