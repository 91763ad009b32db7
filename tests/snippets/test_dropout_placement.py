"""Dropout's places against torch's modules, masks against their shares, and paths by hand."""

import pytest
import torch
from torch import nn


def test_one_layer_warns_and_drops_nothing(snippet):
    first, second, messages = snippet.two_readings(1, 0.5)
    assert torch.equal(first, second)
    assert len(messages) == 1


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_two_layers_differ_from_reading_to_reading_only_with_dropout(snippet, p):
    first, second, messages = snippet.two_readings(2, p)
    assert torch.equal(first, second) == (p == 0)
    assert messages == []


@pytest.mark.parametrize("num_layers", [1, 3])
def test_dropout_stands_before_and_after_and_between(snippet, num_layers):
    network, seen = snippet.ZarembaLSTM(30, 40, num_layers, 0.25), []
    network.lstm.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    outputs, _ = network(torch.randn(40, 10, 30))
    for dropped in (seen[0], outputs):
        assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert network.lstm.dropout == (0.25 if num_layers > 1 else 0)


def test_in_evaluation_it_is_torchs_lstm(snippet):
    network = snippet.ZarembaLSTM(3, 4, 2, 0.9).eval()
    plain, x = nn.LSTM(3, 4, 2), torch.randn(5, 2, 3)
    plain.load_state_dict(network.lstm.state_dict())
    before = (torch.randn(2, 2, 4), torch.randn(2, 2, 4))
    torch.testing.assert_close(network(x, before), plain(x, before))


def test_a_locked_mask_is_one_for_all_steps_but_not_for_all_rows(snippet):
    mask = snippet.locked_dropout(torch.ones(7, 30, 40), 0.4)
    assert torch.equal(mask, mask[:1].expand_as(mask))
    assert not torch.equal(mask[:, 0], mask[:, 1])
    assert (mask == 0).float().mean().item() == pytest.approx(0.4, abs=0.04)
    assert mask.max().item() == pytest.approx(1 / 0.6)


@pytest.mark.parametrize("L", [1, 2, 4])
def test_places_are_counted_as_by_hand(snippet, L):
    assert snippet.places_passed(5, L) == [L + 1] * 5
    assert snippet.places_passed(5, L, recurrent=True) == [L + 5, L + 4, L + 3, L + 2, L + 1]
