"""The task against counting, the networks by their shapes, the bound on sign changes."""

import numpy as np
import pytest
import torch


def test_parity_is_the_count_of_ones(snippet):
    torch.manual_seed(0)
    bits = snippet.random_bits(20, 30)
    assert set(bits.unique().tolist()) == {0.0, 1.0}
    for row, answers in zip(bits.tolist(), snippet.parity(bits).tolist(), strict=True):
        assert answers == [sum(row[: t + 1]) % 2 for t in range(len(row))]


@pytest.mark.parametrize("num_layers", [0, 1, 2, 3])
def test_a_tagger_gives_a_logit_a_bit_and_sees_no_later_bit(snippet, num_layers):
    torch.manual_seed(0)
    model = snippet.Tagger(num_layers, 5)
    assert len(model.layers) == num_layers
    assert (model.lstm is not None) == (num_layers == 0)
    bits = snippet.random_bits(2, 12)
    changed = bits.clone()
    changed[:, 7:] = 1 - changed[:, 7:]
    one, other = model(bits), model(changed)
    assert one.shape == (2, 12)
    torch.testing.assert_close(one[:, :7], other[:, :7])
    assert (one[:, 7:] != other[:, 7:]).all()


def test_accuracy_is_a_share_for_each_bit(snippet):
    right = snippet.accuracy(lambda bits: snippet.parity(bits) - 0.5, 9, B=50)
    assert right.tolist() == [1.0] * 9
    wrong = snippet.accuracy(lambda bits: 0.5 - snippet.parity(bits), 9, B=50)
    assert wrong.tolist() == [0.0] * 9


def test_training_lowers_the_loss(snippet):
    model = snippet.train(0, seed=0, length=4, hidden_size=8, steps=150)
    assert snippet.accuracy(model, 4).mean() > 0.9


def test_sign_changes_are_counted(snippet):
    assert snippet.sign_changes(np.array([1.0, 2, -1, -2, 3])) == 2
    assert snippet.sign_changes(np.array([-1.0, 1] * 5)) == 9
    assert snippet.sign_changes(np.ones(3)) == 0


@pytest.mark.parametrize("H", [1, 2, 3, 5])
def test_a_layer_made_to_order_is_right_on_as_many_ones_as_it_can(snippet, H):
    logits = snippet.logits_on_ones(*snippet.made_to_order(H), 100)
    np.testing.assert_allclose(
        logits[: H + 1], [-((-1.0) ** k) for k in range(1, H + 2)], atol=1e-6
    )
    assert snippet.sign_changes(logits) == H


@pytest.mark.parametrize("strength", [15.0, 40.0])
def test_the_flip_flop_keeps_the_parity_of_every_short_sequence(snippet, strength):
    bits = torch.tensor([[n >> k & 1 for k in range(8)] for n in range(256)]).float()
    even = torch.full((1, 256, 1), -0.7)
    states, _ = snippet.flip_flop(strength)(bits.unsqueeze(-1), (even, even))
    assert ((states.squeeze(-1) > 0) == (snippet.parity(bits) > 0)).all()
    assert states.abs().min() > 0.5


def test_one_cell_whose_factor_may_be_negative_keeps_the_parity(snippet):
    """The fourth exercise: a factor of -1 on a one, from a state of 1, by a first bit of 0."""
    bits = torch.randint(0, 2, (3, 40, 1)).double()
    bits[:, 0] = 0
    start = torch.zeros_like(bits)
    start[:, 0] = 1
    states = snippet.scan(1 - 2 * bits, start)[..., 0]
    assert ((states < 0) == (snippet.parity(bits[..., 0]) > 0)).all()
