"""The gradient norm against whole Jacobians and a closed form; the forget bias against a cell."""

import math

import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

T, D, H = 7, 3, 4


def build(kind, **options):
    torch.manual_seed(0)
    return kind(D, H, **options).double(), torch.randn(T, D).double()


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU])
@pytest.mark.parametrize("length", [1, 2, T])
def test_gradient_norm_is_the_column_sum_of_the_jacobian(snippet, kind, length):
    network, inputs = build(kind)

    def last_hidden(h):
        return network(inputs[:length], h.unsqueeze(0))[0][-1]

    whole = jacobian(last_hidden, torch.zeros(H).double())  # (H of h_T, H of h_0)
    expected = whole.sum(0).norm().item()
    assert snippet.gradient_norm(network, inputs[:length]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("length", [1, 2, T])
def test_gradient_norm_of_an_lstm_takes_h_and_c(snippet, length):
    network, inputs = build(nn.LSTM)

    def last_hidden(state):
        h, c = state.split(H)
        return network(inputs[:length], (h.unsqueeze(0), c.unsqueeze(0)))[0][-1]

    whole = jacobian(last_hidden, torch.zeros(2 * H).double())  # (H, 2H)
    expected = whole.sum(0).norm().item()
    assert snippet.gradient_norm(network, inputs[:length]) == pytest.approx(expected, rel=1e-12)


def test_gradient_norm_of_a_linear_recurrence(snippet):
    # relu of values above zero is the identity: h_T = W^T h_0 + ..., and the gradient is 1ᵀ W^T.
    network = nn.RNN(D, H, nonlinearity="relu").double()
    weight = torch.rand(H, H, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        network.weight_hh_l0.copy_(weight)
        network.weight_ih_l0.fill_(1)
        network.bias_ih_l0.fill_(1)
        network.bias_hh_l0.fill_(1)
    inputs = torch.ones(5, D).double()
    expected = torch.linalg.matrix_power(weight, 5).sum(0).norm().item()
    assert snippet.gradient_norm(network, inputs) == pytest.approx(expected, rel=1e-12)


def test_gradient_norm_of_an_lstm_on_its_belt_alone(snippet):
    # Weights zero: f = σ(b), o = ½, C stays 0, so each h_T is ½ tanh(C_T), with slope ½ σ(b)^T.
    network = nn.LSTM(D, H).double()
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    snippet.set_forget_bias(network, 2.0)
    expected = math.sqrt(H) / 2 / (1 + math.exp(-2)) ** 30
    assert snippet.gradient_norm(network, torch.ones(30, D).double()) == pytest.approx(expected)


def test_gradient_norm_leaves_the_parameters_without_gradient(snippet):
    network, inputs = build(nn.LSTM)
    snippet.gradient_norm(network, inputs)
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_set_forget_bias_changes_the_forget_rows_alone(snippet, options):
    network, _ = build(nn.LSTM, **options)
    before = {name: parameter.clone() for name, parameter in network.named_parameters()}
    snippet.set_forget_bias(network, 3)
    after = dict(network.named_parameters())
    others = torch.arange(4 * H) // H != 1
    for name, old in before.items():
        if name.startswith("weight"):
            assert torch.equal(after[name], old), name
        else:
            assert torch.equal(after[name][others], old[others]), name
        if name.startswith("bias_ih"):
            total = after[name] + after[name.replace("_ih", "_hh")]
            assert torch.equal(total[H : 2 * H], torch.full((H,), 3.0).double()), name


def test_set_forget_bias_acts_on_the_gate_that_multiplies_the_cell_state(snippet):
    network, inputs = build(nn.LSTM)
    snippet.set_forget_bias(network, 40)
    c_0 = torch.full((1, H), 1e6).double()
    _, (_, c_T) = network(inputs, (torch.zeros(1, H).double(), c_0))
    assert (c_T - c_0).abs().max().item() < T  # only i * C̃ was added, below 1 at each step


@pytest.mark.parametrize("network", [nn.GRU(D, H), nn.RNN(D, H), nn.LSTM(D, H, bias=False)])
def test_set_forget_bias_refuses_what_has_none(snippet, network):
    with pytest.raises(ValueError, match=r"torch\.nn\.LSTM with bias=True, found (GRU|RNN|LSTM)"):
        snippet.set_forget_bias(network, 1)


def test_norms_by_seed(snippet):
    options = {"seeds": 2, "D": D, "H": H}
    norms = snippet.norms_by_seed(nn.LSTM, **options)
    assert norms.shape == (2, len(snippet.LENGTHS))
    assert norms.dtype == torch.float64
    assert torch.equal(norms, snippet.norms_by_seed(nn.LSTM, **options))
    assert not torch.equal(norms[0], norms[1])

    torch.manual_seed(1)
    network = nn.LSTM(D, H).double()
    inputs = torch.randn(max(snippet.LENGTHS), D).double()
    expected = [snippet.gradient_norm(network, inputs[:length]) for length in snippet.LENGTHS]
    assert norms[1].tolist() == pytest.approx(expected, rel=1e-12)


def test_norms_by_seed_passes_its_options_on(snippet):
    # An RNN has no path back but its recurrent weights; a larger bias widens that of an LSTM.
    options = {"seeds": 1, "D": D, "H": H}
    assert not snippet.norms_by_seed(nn.RNN, recurrent_scale=0, **options).any()
    high = snippet.norms_by_seed(nn.LSTM, forget_bias=3, **options)
    low = snippet.norms_by_seed(nn.LSTM, forget_bias=-3, **options)
    assert (high > low).all()
