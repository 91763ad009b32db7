"""The four conventions against `torch.nn.GRU`, and against each other where they must agree."""

import pytest
import torch

D, H, B, T = 4, 3, 5, 6


def random_gru(input_size=D, hidden_size=H):
    """A GRU in double precision with large weights, its weights, xs (T, B, D) and h (B, H)."""
    torch.manual_seed(0)
    module = torch.nn.GRU(input_size, hidden_size).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    xs = torch.randn(T, B, input_size, dtype=torch.float64)
    h = torch.rand(B, hidden_size, dtype=torch.float64)
    return module, [p.detach() for p in module.parameters()], xs, h


def assert_equal(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("input_size", "hidden_size"), [(1, 1), (4, 3), (3, 4), (3, 3)])
def test_the_default_is_torchs_gru(snippet, input_size, hidden_size):
    module, weights, xs, h = random_gru(input_size, hidden_size)
    found = snippet.run_gru(xs, h, weights)
    assert found.shape == (T, B, hidden_size)
    assert_equal(found, module(xs, h[None])[0])


def test_the_step_is_torchs_gru_cell(snippet):
    _, weights, xs, h = random_gru()
    cell = torch.nn.GRUCell(D, H).double()
    for parameter, weight in zip(cell.parameters(), weights, strict=True):
        parameter.data = weight
    assert_equal(snippet.gru_step(xs[0], h, *weights), cell(xs[0], h))


@pytest.mark.parametrize(("z_keeps", "reset_after"), [(True, False), (False, True), (False, False)])
def test_the_other_three_differ(snippet, z_keeps, reset_after):
    module, weights, xs, h = random_gru()
    found = snippet.run_gru(xs, h, weights, z_keeps=z_keeps, reset_after=reset_after)
    assert (found - module(xs, h[None])[0]).abs().max() > 0.05


def test_both_switches_off_is_olahs_figure(snippet):
    _, (weight_ih, weight_hh, *_), xs, h = random_gru()
    x, none = xs[0], torch.zeros(3 * H, dtype=torch.float64)
    # Olah: one matrix on [h, x] for each layer, and no biases
    W_r, W_z, W = torch.cat([weight_hh, weight_ih], dim=1).chunk(3)
    z = torch.sigmoid(torch.cat([h, x], dim=1) @ W_z.T)
    r = torch.sigmoid(torch.cat([h, x], dim=1) @ W_r.T)
    h_tilde = torch.tanh(torch.cat([r * h, x], dim=1) @ W.T)
    found = snippet.gru_step(x, h, weight_ih, weight_hh, none, none, False, False)
    assert_equal(found, (1 - z) * h + z * h_tilde)


@pytest.mark.parametrize("reset_after", [True, False])
def test_flip_z_turns_one_sense_into_the_other(snippet, reset_after):
    _, weights, xs, h = random_gru()
    keeps = snippet.run_gru(xs, h, weights, z_keeps=True, reset_after=reset_after)
    flipped = snippet.flip_z(weights)
    writes = snippet.run_gru(xs, h, flipped, z_keeps=False, reset_after=reset_after)
    assert_equal(writes, keeps)


def test_flip_z_touches_the_z_rows_only_and_undoes_itself(snippet):
    _, weights, *_ = random_gru()
    flipped = snippet.flip_z(weights)
    for before, after in zip(weights, flipped, strict=True):
        assert_equal(after[:H], before[:H])
        assert_equal(after[H : 2 * H], -before[H : 2 * H])
        assert_equal(after[2 * H :], before[2 * H :])
    for before, again in zip(weights, snippet.flip_z(flipped), strict=True):
        assert_equal(again, before)


def test_the_place_of_r_is_nothing_where_r_and_the_matrix_commute(snippet):
    _, (weight_ih, weight_hh, bias_ih, bias_hh), xs, h = random_gru()
    weight_hh[2 * H :] = torch.diag(weight_hh[2 * H, :])
    bias_hh[2 * H :] = 0  # torch masks this bias too
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    after = snippet.run_gru(xs, h, weights, reset_after=True)
    assert_equal(snippet.run_gru(xs, h, weights, reset_after=False), after)


def test_torch_masks_the_recurrent_bias_too(snippet):
    _, (weight_ih, weight_hh, bias_ih, bias_hh), xs, h = random_gru()
    weight_hh[2 * H :] = 0
    bias_ih[:H] = -50.0  # r = 0
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    r_on_product = snippet.gru_step(xs[0], h, *weights, reset_after=True)
    r_on_state = snippet.gru_step(xs[0], h, *weights, reset_after=False)
    assert (r_on_product - r_on_state).abs().max() > 0.05


@pytest.mark.parametrize("reset_after", [True, False])
def test_derivatives(snippet, reset_after):
    _, weights, xs, h = random_gru()
    arguments = [a.clone().requires_grad_() for a in (xs[0], h, *weights)]

    def step(*arguments):
        return snippet.gru_step(*arguments, reset_after=reset_after)

    assert torch.autograd.gradcheck(step, arguments)
