"""Each part of the count against torch's modules."""

import pytest
import torch
from torch import nn


def weights(*modules):
    return sum(weight.numel() for module in modules for weight in module.parameters())


@pytest.mark.parametrize(("size", "hidden"), [(123, 250), (61, 250), (1, 1), (7, 3)])
def test_an_lstm_level_is_torchs_without_the_second_bias_and_with_peepholes(snippet, size, hidden):
    in_torch = weights(nn.LSTM(size, hidden, device="meta"))
    assert snippet.level_weights(size, hidden) == in_torch - 4 * hidden + 3 * hidden


def test_a_tanh_level_is_torchs_without_the_second_bias(snippet):
    in_torch = weights(nn.RNN(123, 500, device="meta"))
    assert snippet.level_weights(123, 500, cell="tanh") == in_torch - 500


def test_the_exercise(snippet):
    assert snippet.level_weights(123, 250) == 4 * 250 * (123 + 250 + 1) + 750 == 374_750


@pytest.mark.parametrize("place", range(9))
def test_a_network_is_the_sum_of_its_modules(snippet, place):
    network = snippet.NETWORKS[place]
    H, width = network.hidden_size, network.directions * network.hidden_size
    kind = nn.LSTM if network.cell == "lstm" else nn.RNN
    with torch.device("meta"):
        levels = kind(123, H, network.num_layers, bidirectional=network.directions == 2)
        if network.transducer:
            above = [nn.Linear(width, H), nn.Linear(H, H, bias=False), nn.Linear(H, H)]
            above += [nn.Linear(H, 62), nn.LSTM(61, H)]
        else:
            above = [nn.Linear(width, 62)]
    recurrent = [levels, *above[4:]]
    biases = sum(w.numel() for m in recurrent for n, w in m.named_parameters() if "bias_hh" in n)
    peepholes = biases // 4 * 3 if network.cell == "lstm" else 0
    assert snippet.network_weights(network) == weights(levels, *above) - biases + peepholes


def test_the_nine_are_those_of_the_table(snippet):
    counted = [snippet.network_weights(network) for network in snippet.NETWORKS]
    assert counted == [3_688_062, 780_562, 3_793_018, 2_284_062, 3_786_957, 3_787_562, 6_794_562,
                       4_335_312, 4_335_312]  # fmt: skip
    assert [n.error_rate for n in snippet.NETWORKS] == [37.6, 23.9, 23.0, 21.0, 19.6, 18.6, 18.4,
                                                        18.3, 17.7]  # fmt: skip
    assert [n.epochs for n in snippet.NETWORKS] == [107, 82, 87, 55, 115, 124, 150, 112, 144]


def test_another_cell(snippet):
    with pytest.raises(ValueError, match="no cell 'gru'; lstm and tanh are known"):
        snippet.level_weights(1, 1, cell="gru")
