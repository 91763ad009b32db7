"""Reading in blocks against one long sequence, and the cut against autograd over a part."""

import pytest
import torch
from torch import nn


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.LSTM(3, 5).double(), torch.randn(11, 2, 3, dtype=torch.float64)


@pytest.mark.parametrize("block", [1, 4, 11, 20])
@pytest.mark.parametrize("cut", [True, False])
def test_the_values_are_those_of_one_sequence(snippet, network, block, cut):
    lstm, x = network
    torch.testing.assert_close(snippet.read_in_blocks(lstm, x, block, cut), lstm(x)[0])


@pytest.mark.parametrize("block", [1, 4, 5])
def test_the_cut_gradient_is_that_of_the_last_block_alone(snippet, network, block):
    lstm, x = network
    found = snippet.reach(lstm, x, block, cut=True)
    start = (len(x) - 1) // block * block
    with torch.no_grad():
        state = lstm(x[:start])[1] if start else None
    last = x[start:].clone().requires_grad_()
    lstm(last, state)[0][-1].sum().backward()
    assert (found[:start] == 0).all()
    torch.testing.assert_close(found[start:], last.grad.flatten(1).norm(dim=1))


def test_without_the_cut_the_gradient_is_that_of_the_whole(snippet, network):
    lstm, x = network
    whole = x.clone().requires_grad_()
    lstm(whole)[0][-1].sum().backward()
    found = snippet.reach(lstm, x, 4, cut=False)
    torch.testing.assert_close(found, whole.grad.flatten(1).norm(dim=1))
    assert (found > 0).all()


def test_the_input_is_left_as_it_was(snippet, network):
    lstm, x = network
    before = x.clone()
    snippet.reach(lstm, x, 4, cut=True)
    assert torch.equal(x, before)
    assert not x.requires_grad


@pytest.mark.parametrize("block", [0, -3])
def test_a_block_without_steps_is_refused(snippet, network, block):
    lstm, x = network
    with pytest.raises(ValueError, match=f"a block has {block} steps; it needs at least 1"):
        snippet.read_in_blocks(lstm, x, block, cut=True)
