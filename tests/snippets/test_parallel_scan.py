"""The scan against the loop, the loop against a closed form, the cells against torch's GRU."""

import math

import pytest
import torch

SIZES = [(1, 1, 1), (2, 2, 3), (3, 7, 2), (1, 8, 1), (2, 33, 4), (1, 1000, 2)]


def factors(B, T, H, signs=False):
    torch.manual_seed(T)
    a = torch.rand(B, T, H, dtype=torch.float64)
    b = torch.randn(B, T, H, dtype=torch.float64)
    return (2 * a - 1 if signs else a), b


@pytest.mark.parametrize("signs", [False, True])
@pytest.mark.parametrize(("B", "T", "H"), SIZES)
def test_the_scan_is_the_loop(snippet, B, T, H, signs):
    a, b = factors(B, T, H, signs)
    found = snippet.scan(a, b)
    assert found.shape == (B, T, H)
    torch.testing.assert_close(found, snippet.loop(a, b), rtol=0, atol=1e-12)


def test_the_loop_is_the_sum_over_all_ways(snippet):
    a, b = factors(2, 6, 3)
    states = snippet.loop(a, b)
    for t in range(6):
        terms = (a[:, s + 1 : t + 1].prod(dim=1) * b[:, s] for s in range(t + 1))
        torch.testing.assert_close(states[:, t], sum(terms), rtol=0, atol=1e-13)


def test_the_scan_needs_so_many_rounds(snippet, monkeypatch):
    rounds = []
    cat = torch.cat
    monkeypatch.setattr(torch, "cat", lambda *args, **kw: rounds.append(1) or cat(*args, **kw))
    for T in (1, 2, 3, 8, 9, 1000):
        rounds.clear()
        snippet.scan(*factors(1, T, 1))
        assert len(rounds) == 2 * math.ceil(math.log2(T))  # one for a, one for b


def test_gradients_flow_through_the_scan(snippet):
    a, b = (x.requires_grad_() for x in factors(2, 5, 2))
    assert torch.autograd.gradcheck(snippet.scan, (a, b))


def test_min_gru_is_a_gru_without_the_state_in_its_gates(snippet):
    """torch's GRU with nothing on the state, and its tanh made straight by small weights."""
    torch.manual_seed(0)
    cell = snippet.MinGRU(3, 4).double()
    gru = torch.nn.GRU(3, 4, batch_first=True).double()
    small = 1e-6
    with torch.no_grad():
        for parameter in gru.parameters():
            parameter.zero_()
        gru.weight_ih_l0[4:8], gru.bias_ih_l0[4:8] = -cell.gate.weight, -cell.gate.bias
        gru.weight_ih_l0[8:] = small * cell.candidate.weight
        gru.bias_ih_l0[8:] = small * cell.candidate.bias
        x = torch.randn(2, 9, 3, dtype=torch.float64)
        torch.testing.assert_close(cell(x), gru(x)[0] / small, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("cell", ["MinGRU", "MinLSTM"])
def test_a_state_stays_within_its_candidates(snippet, cell):
    torch.manual_seed(0)
    module = getattr(snippet, cell)(3, 4)
    x = 3 * torch.randn(5, 200, 3)
    candidates = module.candidate(x)
    bound = candidates.abs().amax(dim=(0, 1))
    assert (module(x).abs().amax(dim=(0, 1)) <= bound).all()


def test_gates_that_are_shut_leave_a_state(snippet):
    cell = snippet.MinLSTM(1, 1)
    with torch.no_grad():
        for linear, weight in ((cell.forget, -110.0), (cell.input, -112.0), (cell.candidate, 1.0)):
            linear.weight.fill_(weight)
            linear.bias.zero_()
        share = 1 / (1 + math.exp(2))  # of the candidate: i / (f + i) with i / f = e to the -2
        torch.testing.assert_close(cell(torch.ones(1, 1, 1)).item(), share, rtol=1e-5, atol=0)


def test_the_log_scan_gives_the_logarithms(snippet):
    a, b = factors(2, 50, 3)
    states = snippet.log_scan(a.log(), b.abs().log())
    torch.testing.assert_close(states.exp(), snippet.loop(a, b.abs()), rtol=1e-10, atol=0)


def test_the_closed_form_holds_while_the_product_does(snippet):
    a, b = factors(1, 20, 2)
    torch.testing.assert_close(snippet.closed_form(a, b), snippet.loop(a, b), rtol=1e-8, atol=1e-10)
    a, b = a.repeat(1, 60, 1), b.repeat(1, 60, 1)
    assert not snippet.closed_form(a, b).isfinite().all()


def test_weights_leave_biases_out(snippet):
    assert snippet.weights(torch.nn.GRU(3, 4)) == 3 * 4 * (3 + 4)
    assert snippet.weights(snippet.MinGRU(3, 4)) == 2 * 3 * 4
    assert snippet.weights(snippet.MinLSTM(3, 4)) == 3 * 3 * 4


def test_seconds_is_the_shortest_of_several_calls(snippet):
    calls = []
    assert 0 <= snippet.seconds(lambda: calls.append(1), repeats=4) < 1
    assert len(calls) == 4
