"""The loop against `torch.nn.RNN` and `torch.nn.RNNCell`, its derivatives against differences."""

import pytest
import torch

D, H, B = 3, 5, 2


def double_weights(hidden_size=H, input_size=D, seed=0):
    torch.manual_seed(seed)
    module = torch.nn.RNN(input_size, hidden_size).double().requires_grad_(False)
    return module, list(module.parameters())


@pytest.mark.parametrize("batch_size", [1, 4])
def test_step_equals_the_torch_cell(snippet, batch_size):
    torch.manual_seed(0)
    cell = torch.nn.RNNCell(D, H).double()
    x = torch.randn(batch_size, D, dtype=torch.float64)
    h = torch.randn(batch_size, H, dtype=torch.float64)
    state = snippet.rnn_step(x, h, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    torch.testing.assert_close(state, cell(x, h), rtol=0, atol=1e-14)


def test_step_with_numbers_worked_by_hand(snippet):
    one = torch.ones(1, 1, dtype=torch.float64)
    state = snippet.rnn_step(2 * one, 3 * one, 0.5 * one, -0.25 * one, 0.1 * one[0], 0.2 * one[0])
    assert state.item() == pytest.approx(0.5005202111902354)  # tanh(1 + 0.1 - 0.75 + 0.2)


@pytest.mark.parametrize(
    ("steps", "batch_size", "input_size", "hidden_size"),
    [(1, 1, 1, 1), (7, 2, 3, 5), (7, 3, 5, 3), (200, 2, 3, 5)],
)
def test_loop_equals_torch_from_any_first_state(
    snippet, steps, batch_size, input_size, hidden_size
):
    module, weights = double_weights(hidden_size, input_size)
    inputs = torch.randn(steps, batch_size, input_size, dtype=torch.float64)
    h = torch.randn(batch_size, hidden_size, dtype=torch.float64)
    states = snippet.run_rnn(inputs, h, weights)
    assert states.shape == (steps, batch_size, hidden_size)
    torch.testing.assert_close(states, module(inputs, h[None])[0], rtol=0, atol=1e-13)


def test_the_loop_can_be_cut_and_resumed(snippet):
    _, weights = double_weights()
    inputs = torch.randn(9, B, D, dtype=torch.float64)
    h = torch.zeros(B, H, dtype=torch.float64)
    first = snippet.run_rnn(inputs[:4], h, weights)
    second = snippet.run_rnn(inputs[4:], first[-1], weights)
    assert torch.equal(torch.cat([first, second]), snippet.run_rnn(inputs, h, weights))


def test_derivatives_through_time(snippet):
    _, weights = double_weights()
    arguments = [torch.randn(4, B, D, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)]
    arguments = [value.clone().requires_grad_() for value in (*arguments, *weights)]
    assert torch.autograd.gradcheck(lambda x, h, *w: snippet.run_rnn(x, h, w), arguments)


@pytest.mark.parametrize("step", [1, 4, 6])
def test_influence_equals_that_of_torch(snippet, step):
    module, weights = double_weights()
    inputs = torch.randn(6, B, D, dtype=torch.float64)
    before = inputs.clone()
    change = snippet.influence(inputs, torch.zeros(B, H, dtype=torch.float64), weights, step)
    assert torch.equal(inputs, before)  # the caller's sequence is left alone

    other = inputs.clone()
    other[step - 1] = -other[step - 1]
    difference = (module(other)[0] - module(inputs)[0]).square().sum(-1).sqrt().sum(-1) / B
    assert change.shape == (6,)
    torch.testing.assert_close(change, difference, rtol=0, atol=1e-13)
    assert (change[: step - 1] == 0).all()
    assert (change[step - 1 :] > 0).all()


@pytest.mark.parametrize("step", [0, -1, 7])
def test_influence_names_a_step_that_does_not_exist(snippet, step):
    _, weights = double_weights()
    inputs = torch.randn(6, B, D, dtype=torch.float64)
    with pytest.raises(ValueError, match=rf"step must be in 1\.\.6, found {step}$"):
        snippet.influence(inputs, torch.zeros(B, H, dtype=torch.float64), weights, step)
