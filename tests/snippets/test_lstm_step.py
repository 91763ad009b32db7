"""The six equations against `torch.nn.LSTMCell`, which stacks its gates i, f, g, o."""

from itertools import permutations

import pytest
import torch

D, H, B = 5, 3, 4


def random_cell(input_size=D, hidden_size=H, batch_size=B):
    torch.manual_seed(0)
    cell = torch.nn.LSTMCell(input_size, hidden_size).double()
    x = torch.randn(batch_size, input_size, dtype=torch.float64)
    h = torch.randn(batch_size, hidden_size, dtype=torch.float64)
    C = torch.randn(batch_size, hidden_size, dtype=torch.float64)
    return cell, x, h, C


@pytest.mark.parametrize(
    ("input_size", "hidden_size", "batch_size"), [(1, 1, 1), (5, 3, 4), (3, 5, 1), (3, 3, 3)]
)
def test_step_equals_the_torch_cell(snippet, input_size, hidden_size, batch_size):
    cell, x, h, C = random_cell(input_size, hidden_size, batch_size)
    found = snippet.lstm_step(x, h, C, snippet.concatenated_gates(*cell.parameters()))
    for ours, torchs in zip(found, cell(x, (h, C)), strict=True):
        assert ours.shape == (batch_size, hidden_size)
        torch.testing.assert_close(ours, torchs, rtol=0, atol=1e-14)


def test_step_takes_a_sequence_without_a_batch(snippet):
    cell, x, h, C = random_cell()
    found = snippet.lstm_step(x[0], h[0], C[0], snippet.concatenated_gates(*cell.parameters()))
    for ours, torchs in zip(found, cell(x[0], (h[0], C[0])), strict=True):
        torch.testing.assert_close(ours, torchs, rtol=0, atol=1e-14)


def test_derivatives(snippet):
    cell, *arguments = random_cell()
    arguments = [value.detach().requires_grad_() for value in (*arguments, *cell.parameters())]

    def step(x, h, C, *weights):
        return snippet.lstm_step(x, h, C, snippet.concatenated_gates(*weights))

    assert torch.autograd.gradcheck(step, arguments)


@pytest.mark.parametrize(
    ("name", "squash"),
    [
        ("forget_gate", torch.sigmoid),
        ("input_gate", torch.sigmoid),
        ("candidate", torch.tanh),
        ("output_gate", torch.sigmoid),
    ],
)
def test_a_gate_is_a_squashed_linear_layer(snippet, name, squash):
    layer = torch.nn.Linear(H + D, H).double()
    hx = torch.randn(B, H + D, dtype=torch.float64)
    found = getattr(snippet, name)(hx, layer.weight, layer.bias)
    torch.testing.assert_close(found, squash(layer(hx)), rtol=0, atol=1e-14)


def test_state_update_and_hidden_state_by_hand(snippet):
    C, f, i, C_tilde = map(torch.tensor, ([2.0, -4.0], [0.5, 1.0], [0.25, 0.0], [-1.0, 0.5]))
    assert snippet.state_update(C, f, i, C_tilde).tolist() == [0.75, -4.0]
    h = snippet.hidden_state(torch.tensor([0.5, 0.25]), torch.tensor([0.0, -100.0]))
    assert h.tolist() == [0.0, -0.25]


def test_columns_of_h_come_first_and_biases_are_summed(snippet):
    weight_ih = torch.arange(8.0).reshape(8, 1)
    weight_hh = 100 + torch.arange(16.0).reshape(8, 2)
    bias = torch.arange(8.0)
    gates = snippet.concatenated_gates(weight_ih, weight_hh, bias, 10 * bias)
    assert set(gates) == set("ifgo")
    W_f, b_f = gates["f"]  # the second block of rows
    assert W_f.tolist() == [[104.0, 105.0, 2.0], [106.0, 107.0, 3.0]]
    assert b_f.tolist() == [22.0, 33.0]


@pytest.mark.parametrize("order", ["".join(order) for order in permutations("ifgo")])
def test_any_order_is_read_back(snippet, order):
    cell, x, h, C = random_cell()
    rows = [dict(zip("ifgo", range(4), strict=True))[gate] for gate in order]
    weights = [torch.cat([p.chunk(4)[row] for row in rows]) for p in cell.parameters()]
    gates = snippet.concatenated_gates(*weights, order=order)
    expected = torch.cat(cell(x, (h, C)))
    found = torch.cat(snippet.lstm_step(x, h, C, gates))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)
    if order != "ifgo":
        misread = torch.cat(snippet.lstm_step(x, h, C, snippet.concatenated_gates(*weights)))
        assert (misread - expected).abs().max() > 0.1


@pytest.mark.parametrize("order", ["ifco", "ifg", "ifgoo", "iifg", "IFGO", ""])
def test_an_order_of_other_letters_is_refused(snippet, order):
    cell, *_ = random_cell()
    with pytest.raises(ValueError, match=rf"i, f, g .* and o once each, found '{order}'$"):
        snippet.concatenated_gates(*cell.parameters(), order=order)


def test_transposed_weights_are_refused(snippet):
    cell, *_ = random_cell()
    weight_ih, weight_hh, *biases = cell.parameters()
    with pytest.raises(ValueError, match=r"must be \(4H, H\), found \(3, 12\)"):
        snippet.concatenated_gates(weight_ih, weight_hh.T, *biases)
