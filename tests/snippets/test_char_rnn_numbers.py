"""The numbers of char-rnn against torch's modules, closed forms and small cases by hand."""

import math

import pytest
import torch
from torch import nn


@pytest.mark.parametrize(("V", "H", "layers"), [(2, 3, 1), (65, 128, 2), (7, 5, 3)])
def test_parameters_are_those_of_torchs_modules(snippet, V, H, layers):
    modules = nn.ModuleList([nn.LSTM(V, H, layers), nn.Linear(H, V)])
    expected = sum(weight.numel() for weight in modules.parameters())
    assert snippet.lstm_parameters(V, H, layers) == expected


def test_the_default_has_the_known_number_of_parameters(snippet):
    assert snippet.lstm_parameters(65, 128, 2) == 240_321
    assert snippet.lstm_parameters(65, 100, 2) == 154_165
    assert snippet.min_char_rnn_parameters(65, 100) == 23_165


def test_a_fair_coin_costs_one_bit(snippet):
    assert snippet.to_bits(math.log(2)) == pytest.approx(1)
    assert snippet.to_bits(math.log(65)) == pytest.approx(math.log2(65))


def test_stripes_of_a_small_text_by_hand(snippet):
    # 3 rows of 5 batches of 2 characters; the last batch of each row is held out.
    training, held_out, stripes = snippet.held_out_stripes(31, 3, 2, share=0.2)
    assert (training, held_out) == (4, 1)
    assert stripes == [(8, 10), (18, 20), (28, 30)]


def test_a_step_equals_torchs_cell_in_its_order(snippet):
    torch.manual_seed(1)
    i2h, h2h, cell = nn.Linear(3, 8), nn.Linear(2, 8), nn.LSTMCell(3, 2)
    for name, layer in (("ih", i2h), ("hh", h2h)):
        getattr(cell, f"weight_{name}").data = snippet.swap_last_blocks(layer.weight.data)
        getattr(cell, f"bias_{name}").data = snippet.swap_last_blocks(layer.bias.data)
    x, h, c = torch.randn(4, 3), torch.randn(4, 2), torch.randn(4, 2)
    torch.testing.assert_close(snippet.char_rnn_step(x, h, c, i2h, h2h), cell(x, (h, c)))


def test_swapping_blocks_twice_changes_nothing(snippet):
    weight = torch.arange(24.0).view(8, 3)
    swapped = snippet.swap_last_blocks(weight)
    assert swapped[:, 0].tolist() == [0, 3, 6, 9, 18, 21, 12, 15]
    assert torch.equal(snippet.swap_last_blocks(swapped), weight)


def test_the_two_temperatures_are_these_formulas(snippet):
    torch.manual_seed(0)
    hidden, decoder = torch.randn(2, 4), nn.Linear(4, 5)
    W, b = decoder.weight, decoder.bias
    old = snippet.temperature_before_decoder(hidden, decoder, 0.5)
    new = snippet.temperature_after_decoder(hidden, decoder, 0.5)
    torch.testing.assert_close(old, (hidden @ W.T / 0.5 + b).softmax(1))
    torch.testing.assert_close(new, ((hidden @ W.T + b) / 0.5).softmax(1))
