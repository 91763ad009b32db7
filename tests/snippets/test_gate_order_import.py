"""The import against torch's own cell, and the cell of TensorFlow against a gate-by-gate sum."""

import pytest
import torch
from torch import nn


def random_cell(D, H):
    torch.manual_seed(1)
    return torch.randn(D + H, 4 * H).double(), torch.randn(4 * H).double()


def test_one_step_of_tensorflows_cell_by_hand(snippet):
    # One unit, one feature; the columns are i, j, f, o, and the state before the step is zero.
    kernel = torch.tensor([[1.0, 2.0, 3.0, -1.0], [0.0, 0.0, 0.0, 0.0]])
    bias = torch.tensor([0.5, -1.0, 0.0, 2.0])
    (h,) = snippet.tensorflow_lstm(torch.ones(1, 1, 1), kernel, bias).flatten()
    c = torch.sigmoid(torch.tensor(1.5)) * torch.tanh(torch.tensor(1.0))
    assert h == torch.sigmoid(torch.tensor(1.0)) * torch.tanh(c)


def test_the_forget_bias_acts_on_the_third_block_only(snippet):
    kernel, bias = random_cell(3, 4)
    x, moved = torch.randn(6, 2, 3).double(), bias.clone()
    moved[8:12] += 0.7
    torch.testing.assert_close(
        snippet.tensorflow_lstm(x, kernel, bias, 0.7), snippet.tensorflow_lstm(x, kernel, moved, 0)
    )


@pytest.mark.parametrize("forget_bias", [0.0, 1.0, -0.3])
@pytest.mark.parametrize(("D", "H"), [(3, 5), (4, 4), (1, 1)])
def test_an_imported_cell_says_the_same(snippet, D, H, forget_bias):
    kernel, bias = random_cell(D, H)
    x, lstm = torch.randn(7, 2, D).double(), nn.LSTM(D, H).double()
    lstm.load_state_dict(snippet.from_tensorflow(kernel, bias, D, forget_bias))
    torch.testing.assert_close(lstm(x)[0], snippet.tensorflow_lstm(x, kernel, bias, forget_bias))


def test_known_weights_go_to_known_places(snippet):
    kernel, bias = torch.arange(24.0).view(3, 8), torch.arange(8.0)  # D = 1, H = 2
    found = snippet.from_tensorflow(kernel, bias, 1, forget_bias=10)
    assert found["weight_ih_l0"].tolist() == [[0], [1], [4], [5], [2], [3], [6], [7]]
    assert found["weight_hh_l0"][:, 0].tolist() == [8, 9, 12, 13, 10, 11, 14, 15]
    assert found["weight_hh_l0"][:, 1].tolist() == [16, 17, 20, 21, 18, 19, 22, 23]
    assert found["bias_ih_l0"].tolist() == [0, 1, 14, 15, 2, 3, 6, 7]
    assert found["bias_hh_l0"].tolist() == [0] * 8
    assert bias.tolist() == list(range(8))  # the caller's own is left as it was


def test_each_permutation_puts_the_blocks_in_torchs_order(snippet):
    for program, order in snippet.ORDERS.items():
        assert sorted(order) == list("fgio")
        assert [order[place] for place in snippet.permutation(program)] == list("ifgo")


def test_what_does_not_fit_is_refused(snippet):
    with pytest.raises(ValueError, match=r"the kernel is [(]7, 16[)]; a bias of 16 and 4 features"):
        snippet.from_tensorflow(torch.zeros(7, 16), torch.zeros(16), 4)
    with pytest.raises(ValueError, match="no order is known for 'jax', only for torch, tensorflow"):
        snippet.permutation("jax")
