"""The belt against closed forms, half-lives against fractions of σ, derivatives against torch."""

import math
from functools import partial

import pytest
import torch

T, D, H = 6, 3, 4


def random_cell(seed=0):
    torch.manual_seed(seed)
    cell = torch.nn.LSTMCell(D, H).double().requires_grad_(False)
    return torch.randn(H).double(), cell, torch.randn(T, D).double()


@pytest.mark.parametrize(
    ("f", "i", "candidate"), [(0.9, 0.0, 0.7), (0.5, 0.5, -1.0), (0.0, 1.0, 0.3), (0.99, 0.2, 0.4)]
)
def test_cell_states_equal_the_geometric_series(snippet, f, i, candidate):
    states = snippet.cell_states(2.0, f, i, candidate, steps=30)
    limit = i * candidate / (1 - f)
    assert len(states) == 31
    assert states == pytest.approx([limit + (2.0 - limit) * f**t for t in range(31)])


def test_cell_states_at_the_edges(snippet):
    assert snippet.cell_states(0.3, 1, 0, 0.9, steps=1000) == [0.3] * 1001
    assert snippet.cell_states(0.0, 1, 1, -0.25, steps=8)[-1] == -2.0
    assert snippet.cell_states(0.3, 0.5, 0.5, 0.9, steps=0) == [0.3]


@pytest.mark.parametrize("bias", [-3, 0, 1, 5, 20])
def test_half_life_halves(snippet, bias):
    f = torch.sigmoid(torch.tensor(bias, dtype=torch.float64)).item()
    assert f ** snippet.half_life(bias) == pytest.approx(0.5, rel=1e-6)


def test_half_life_where_the_gate_rounds_to_one(snippet):
    assert snippet.half_life(50) == pytest.approx(math.log(2) * math.exp(50))


@pytest.mark.parametrize("steps", [0.5, 1, 2, 50, 1e9])
def test_bias_for_half_life_is_the_inverse(snippet, steps):
    assert snippet.half_life(snippet.bias_for_half_life(steps)) == pytest.approx(steps)


def test_known_biases(snippet):
    assert snippet.bias_for_half_life(1) == pytest.approx(0, abs=1e-12)
    f = 2 ** (-1 / 50)
    assert snippet.bias_for_half_life(50) == pytest.approx(math.log(f / (1 - f)))


@pytest.mark.parametrize("steps", [0, -2, math.nan])
def test_a_half_life_must_be_positive(snippet, steps):
    with pytest.raises(ValueError, match=f"steps must be above 0, found {steps}$"):
        snippet.bias_for_half_life(steps)


@pytest.mark.parametrize("bias", [-1, 0, 2.5])
def test_torch_cell_is_left_with_its_forget_bias_alone(snippet, bias):
    f = 1 / (1 + math.exp(-bias))
    states = snippet.torch_cell_states(bias, steps=12)
    assert states == pytest.approx([f**t for t in range(13)], rel=1e-5)


@pytest.mark.parametrize("f", [0.02, 0.5, 0.7, 0.95, 0.999])
@pytest.mark.parametrize("start", [1.0, 40.0])
def test_half_life_is_read_off_a_steady_decay(snippet, f, start):
    states = [start * f**t for t in range(1000)]
    assert snippet.measured_half_life(states) == pytest.approx(math.log(0.5) / math.log(f))


def test_half_life_is_read_between_the_two_steps_around_one_half(snippet):
    assert snippet.measured_half_life([8.0, 8.0, 8.0, 2.0, 1.0]) == pytest.approx(2.5)
    assert snippet.measured_half_life([8.0, 6.0, 4.0, 0.0]) == pytest.approx(2)


@pytest.mark.parametrize(
    "states", [[1.0, 0.9, 0.8], [1.0], [0.0, 0.0], [-1.0, -0.4], [1.0, 0.0], [1.0, -1.0]]
)
def test_states_that_do_not_halve_are_refused(snippet, states):
    with pytest.raises(ValueError, match=rf"found from {states[0]:g} to {states[-1]:g} in"):
        snippet.measured_half_life(states)


@pytest.mark.parametrize("detach_h", [False, True])
def test_final_cell_state_equals_torch(snippet, detach_h):
    C, cell, inputs = random_cell()
    lstm = torch.nn.LSTM(D, H).double().requires_grad_(False)
    for whole, part in zip(lstm.parameters(), cell.parameters(), strict=True):
        whole.copy_(part)
    _, (_, expected) = lstm(inputs, (torch.zeros(1, H).double(), C[None]))
    found = snippet.final_cell_state(C, cell, inputs, detach_h)
    torch.testing.assert_close(found, expected[0], rtol=0, atol=1e-14)


def test_every_path_is_in_the_derivative_unless_h_is_detached(snippet):
    C, cell, inputs = random_cell()
    steps = 1e-6 * torch.eye(H).double()
    columns = [
        snippet.final_cell_state(C + step, cell, inputs)
        - snippet.final_cell_state(C - step, cell, inputs)
        for step in steps
    ]
    differences = torch.stack(columns, dim=1) / 2e-6
    run = partial(snippet.final_cell_state, cell=cell, inputs=inputs)
    every_path = torch.autograd.functional.jacobian(run, C)
    belt = torch.autograd.functional.jacobian(partial(run, detach_h=True), C)
    torch.testing.assert_close(every_path, differences, rtol=0, atol=1e-8)
    assert (belt - every_path).abs().max() > 0.01
    product = snippet.product_of_forget_gates(C, cell, inputs)
    torch.testing.assert_close(belt, product.diag(), rtol=0, atol=1e-15)


def test_product_of_forget_gates_with_constant_gates(snippet):
    C, cell, inputs = random_cell()
    for parameter in cell.parameters():
        parameter.zero_()
    cell.bias_hh[H : 2 * H] = torch.arange(H)
    found = snippet.product_of_forget_gates(C, cell, inputs)
    torch.testing.assert_close(found, torch.sigmoid(torch.arange(H).double()) ** T)
