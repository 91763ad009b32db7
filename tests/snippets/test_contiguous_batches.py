"""Blocks counted by hand, and reading in blocks against reading a row in one piece."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy


def test_blocks_of_a_stream_by_hand(snippet):
    (first, second) = snippet.blocks(torch.arange(11), B=2, T=2)
    assert [part.T.tolist() for part in first] == [[[0, 1], [5, 6]], [[1, 2], [6, 7]]]
    assert [part.T.tolist() for part in second] == [[[2, 3], [7, 8]], [[3, 4], [8, 9]]]


@pytest.mark.parametrize(("N", "B", "T"), [(26, 3, 3), (1000, 7, 13), (101, 1, 100), (929, 20, 5)])
def test_the_number_of_blocks_and_the_words_that_go_on(snippet, N, B, T):
    pieces = snippet.blocks(torch.arange(N), B, T)
    assert len(pieces) == (N // B - 1) // T
    for x, y in pieces:
        assert x.shape == y.shape == (T, B)
        assert torch.equal(y, x + 1)
    rows = torch.cat([x for x, _ in pieces])
    assert torch.equal(rows, rows[:1] + torch.arange(len(rows))[:, None])


def test_a_stream_without_a_block_is_refused(snippet):
    with pytest.raises(ValueError, match="5 rows of 3 words hold no block of 3 steps and its targ"):
        snippet.blocks(torch.arange(19), B=5, T=3)


@pytest.fixture
def model(snippet):
    torch.manual_seed(0)
    return snippet.WordModel(9, 6, init_scale=1.0)


def test_carried_blocks_have_the_losses_of_whole_rows(snippet, model):
    stream = torch.randint(9, (62,))
    pieces = snippet.blocks(stream, B=3, T=4)
    found = snippet.read(model, pieces)
    rows = stream[:60].view(3, 20).T
    scores, _ = model(rows[:16])
    expected = cross_entropy(scores.flatten(0, 1), rows[1:17].flatten(), reduction="none")
    torch.testing.assert_close(found.flatten(), expected)


def test_reset_blocks_have_the_losses_of_blocks_alone(snippet, model):
    pieces = snippet.blocks(torch.randint(9, (62,)), B=3, T=4)
    alone = torch.cat([snippet.read(model, [piece]) for piece in pieces])
    torch.testing.assert_close(snippet.read(model, pieces, carry=False), alone)
    assert not torch.allclose(snippet.read(model, pieces), alone)


def test_reading_changes_no_weight_and_a_learning_rate_does(snippet, model):
    pieces = snippet.blocks(torch.randint(9, (20,)), B=3, T=4)
    before = [weight.clone() for weight in model.parameters()]
    snippet.read(model, pieces)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    losses = snippet.read(model, pieces[:1], learning_rate=0.1, max_norm=0.5)
    twin = snippet.WordModel(9, 6)
    twin.load_state_dict(dict(zip(twin.state_dict(), before, strict=True)))
    x, y = pieces[0]
    scores, _ = twin(x)
    (cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="sum") / 3).backward()
    nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
    torch.optim.SGD(twin.parameters(), lr=0.1).step()
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert losses.shape == (1, 4, 3)
    assert not losses.requires_grad


def test_words_become_places_and_new_ones_unknown(snippet):
    assert snippet.encode(["b", "new", "a"], ["<unk>", "a", "b"]).tolist() == [2, 0, 1]
    _, known = snippet.train(["x", "y", "y", "z"] * 10, V=3, H=2, B=2, T=4, rates=(0.1,))
    assert known == ["<unk>", "y", "x"]
