"""Each source's step against torch's modules, for several sizes and seeds."""

from __future__ import annotations

import pytest
import torch
from torch import nn


@pytest.fixture(autouse=True)
def double():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.double)
    yield
    torch.set_default_dtype(before)


def random_lstm(seed, D, H):
    torch.manual_seed(seed)
    lstm = nn.LSTM(D, H)
    for parameter in lstm.parameters():
        nn.init.normal_(parameter)
    xs, h, c = torch.randn(9, 2, D), torch.randn(2, H), torch.randn(2, H)
    with torch.no_grad():
        expected, (_, c_n) = lstm(xs, (h[None], c[None]))
    return lstm, xs, h, c, expected, c_n[0]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("D", "H"), [(3, 4), (4, 1), (1, 6)])
def test_olah_and_graves_are_torchs_lstm(snippet, seed, D, H):
    lstm, xs, h, c, expected, last = random_lstm(seed, D, H)
    with torch.no_grad():
        weights = snippet.olah_weights(lstm)
        shown = snippet.run(lambda x, h, c: snippet.olah_step(x, h, c, *weights), xs, h, c)
        torch.testing.assert_close(shown, expected)
        W, b = snippet.graves_weights(lstm)
        shown = snippet.run(lambda x, h, c: snippet.graves_step(x, h, c, W, b), xs, h, c)
        torch.testing.assert_close(shown, expected)
        for x in xs:
            h, c = snippet.graves_step(x, h, c, W, b)
        torch.testing.assert_close(c, last)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [1, 4])
def test_zaremba_is_torchs_lstm(snippet, seed, n):
    lstm, xs, h, c, expected, _ = random_lstm(seed, n, n)
    with torch.no_grad():
        T_map, bias = snippet.zaremba_weights(lstm)
        assert T_map.shape == (4 * n, 2 * n)
        shown = snippet.run(lambda x, h, c: snippet.zaremba_step(x, h, c, T_map, bias), xs, h, c)
    torch.testing.assert_close(shown, expected)


def test_zarembas_rows_in_torchs_order_are_another_network(snippet):
    lstm, xs, h, c, expected, _ = random_lstm(0, 4, 4)
    with torch.no_grad():
        whole = torch.cat([lstm.weight_ih_l0, lstm.weight_hh_l0], dim=1)
        bias = lstm.bias_ih_l0 + lstm.bias_hh_l0
        shown = snippet.run(lambda x, h, c: snippet.zaremba_step(x, h, c, whole, bias), xs, h, c)
    assert (shown - expected).abs().max() > 0.05


@pytest.mark.parametrize("seed", range(3))
def test_karpathy_is_torchs_rnn_with_a_linear_layer(snippet, seed):
    torch.manual_seed(seed)
    rnn, to_scores = nn.RNN(3, 4), nn.Linear(4, 6)
    xs, h = torch.randn(9, 2, 3), torch.randn(2, 4)
    bh = rnn.bias_ih_l0 + rnn.bias_hh_l0
    weights = (rnn.weight_ih_l0, rnn.weight_hh_l0, to_scores.weight, bh, to_scores.bias)
    with torch.no_grad():
        expected = to_scores(rnn(xs, h[None])[0])
        for x, wanted in zip(xs, expected, strict=True):
            h, y = snippet.karpathy_step(x, h, *weights)
            torch.testing.assert_close(y, wanted)


@pytest.mark.parametrize("gate", "ifo")
def test_a_peephole_sees_the_cell_that_graves_names(snippet, gate):
    """The old one, but the output gate sees the new one. All other weights are zero."""
    H, c, peephole = 2, torch.tensor([[0.7, -1.3]]), torch.tensor([2.0, 3.0])
    W = {name: torch.zeros(H, H) for name in ("xi", "xf", "xc", "xo", "hi", "hf", "hc", "ho")}
    W |= dict.fromkeys(("ci", "cf", "co"), torch.zeros(H)) | {f"c{gate}": peephole}
    b = {"i": torch.zeros(H), "f": torch.zeros(H), "c": torch.ones(H), "o": torch.zeros(H)}
    half, g = 0.5, torch.tanh(torch.ones(H))
    opened = torch.sigmoid(peephole * c)
    f, i = (opened if gate == "f" else half), (opened if gate == "i" else half)
    new = f * c + i * g
    o = torch.sigmoid(peephole * new) if gate == "o" else half
    h, shown = snippet.graves_step(torch.zeros(1, H), torch.zeros(1, H), c, W, b)
    torch.testing.assert_close(shown, new)
    torch.testing.assert_close(h, o * torch.tanh(new))
