"""Data, gates and scores of the recall task against brute force and torch's own cell."""

import pytest
import torch
from torch import nn


class Fixed(nn.Module):
    """A predictor that is no network: `rule` maps inputs (T + 1, B) to symbols (B,)."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def forward(self, inputs):
        return nn.functional.one_hot(self.rule(inputs), 8).float()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("B", "T"), [(1, 1), (5, 0), (2000, 7)])
def test_make_batch(snippet, B, T):
    inputs, labels = snippet.make_batch(B, T, generator())
    assert inputs.shape == (T + 1, B)
    assert labels.shape == (B,)
    assert inputs.dtype == labels.dtype == torch.int64
    assert torch.equal(inputs[0], labels)
    assert (labels < 8).all()
    assert (inputs[1:] >= 8).all()
    assert (inputs < 16).all()


def test_make_batch_uses_every_symbol_about_equally_often(snippet):
    inputs, labels = snippet.make_batch(8000, 3, generator())
    for symbols, expected in ((labels, 1000), (inputs[1:] - 8, 3000)):
        counts = torch.bincount(symbols.flatten(), minlength=8)
        assert len(counts) == 8
        assert (counts - expected).abs().max().item() < 0.15 * expected, counts


def test_make_batch_tells_nothing_of_the_label_after_the_first_row(snippet):
    inputs, labels = snippet.make_batch(8000, 1, generator())
    pairs = torch.bincount(labels * 8 + inputs[1] - 8, minlength=64)
    assert (pairs - 125).abs().max().item() < 60, pairs


def test_make_batch_is_a_function_of_the_generator(snippet):
    shared = generator(3)
    first, second = snippet.make_batch(50, 4, shared)[0], snippet.make_batch(50, 4, shared)[0]
    assert not torch.equal(first, second)
    assert torch.equal(first, snippet.make_batch(50, 4, generator(3))[0])
    assert not torch.equal(first, snippet.make_batch(50, 4, generator(4))[0])


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_set_forget_bias_changes_the_forget_rows_alone(snippet, options):
    torch.manual_seed(0)
    H = 4
    lstm = nn.LSTM(3, H, **options)
    before = {name: parameter.clone() for name, parameter in lstm.named_parameters()}
    snippet.set_forget_bias(lstm, -2)
    after = dict(lstm.named_parameters())
    others = torch.arange(4 * H) // H != 1
    for name, old in before.items():
        if name.startswith("weight"):
            assert torch.equal(after[name], old), name
        else:
            assert torch.equal(after[name][others], old[others]), name
        if name.startswith("bias_ih"):
            total = after[name] + after[name.replace("_ih", "_hh")]
            assert torch.equal(total[H : 2 * H], torch.full((H,), -2.0)), name
    assert all(parameter.requires_grad for parameter in after.values())


@pytest.mark.parametrize("network", [nn.GRU(3, 4), nn.RNN(3, 4), nn.LSTM(3, 4, bias=False)])
def test_set_forget_bias_refuses_what_has_none(snippet, network):
    with pytest.raises(ValueError, match=r"torch\.nn\.LSTM with bias=True, found (GRU|RNN|LSTM)"):
        snippet.set_forget_bias(network, 1)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_recaller_reads_the_last_hidden_state(snippet, kind):
    torch.manual_seed(0)
    model = snippet.Recaller(kind, H=6)
    inputs, _ = snippet.make_batch(5, 4, generator())
    logits = model(inputs)
    assert logits.shape == (5, 8)
    _, state = model.recurrent(model.embedding(inputs))
    h = state[0] if kind is nn.LSTM else state
    torch.testing.assert_close(logits, model.head(h[0]))
    torch.testing.assert_close(logits[1:2], model(inputs[:, 1:2]))  # sequences do not mix


def test_recaller_takes_the_forget_bias(snippet):
    H = 6
    torch.manual_seed(0)
    default = snippet.Recaller(nn.LSTM, H=H).state_dict()
    torch.manual_seed(0)
    biased = snippet.Recaller(nn.LSTM, 5, H=H).state_dict()
    changed = {name for name in default if not torch.equal(default[name], biased[name])}
    assert changed == {"recurrent.bias_ih_l0", "recurrent.bias_hh_l0"}
    total = biased["recurrent.bias_ih_l0"] + biased["recurrent.bias_hh_l0"]
    assert torch.equal(total[H : 2 * H], torch.full((H,), 5.0))
    with pytest.raises(ValueError, match="found GRU"):
        snippet.Recaller(nn.GRU, 5)


def test_forget_gates_rebuild_the_cell_states_of_torch(snippet):
    # With i and g from a cell of the same weights, C_t = f C_{t-1} + i g must hold for these f.
    torch.manual_seed(0)
    model = snippet.Recaller(nn.LSTM, 1, H=6)
    lstm = model.recurrent
    inputs, _ = snippet.make_batch(3, 5, generator())
    f = snippet.forget_gates(model, inputs)
    assert f.shape == (6, 3, 6)
    first = model.embedding(inputs[0]) @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + lstm.bias_hh_l0
    torch.testing.assert_close(f[0], first.chunk(4, dim=1)[1].sigmoid())  # C_0 = 0 would hide it
    assert not f.requires_grad
    h, c = torch.zeros(3, 6), torch.zeros(3, 6)
    for t, x in enumerate(model.embedding(inputs)):
        rows = lstm.weight_ih_l0 @ x.T + lstm.weight_hh_l0 @ h.T  # (4H, B)
        i, _, g, _ = (rows.T + lstm.bias_ih_l0 + lstm.bias_hh_l0).chunk(4, dim=1)
        expected = f[t] * c + i.sigmoid() * g.tanh()
        _, (h, c) = lstm(x.unsqueeze(0), (h.unsqueeze(0), c.unsqueeze(0)))
        h, c = h[0], c[0]
        torch.testing.assert_close(c, expected)


def test_accuracy_of_fixed_predictors(snippet):
    _, labels = snippet.make_batch(1000, 6, generator(10**6))
    assert snippet.accuracy(Fixed(lambda inputs: inputs[0]), T=6) == 1
    assert snippet.accuracy(Fixed(lambda inputs: (inputs[0] + 1) % 8), T=6) == 0
    constant = snippet.accuracy(Fixed(lambda inputs: torch.full_like(inputs[0], 3)), T=6)
    assert constant == pytest.approx((labels == 3).float().mean().item())
    assert 0.08 < constant < 0.17
    blind = snippet.accuracy(Fixed(lambda inputs: inputs[-1] - 8), T=6)
    assert 0.08 < blind < 0.17


def test_accuracy_is_measured_on_sequences_that_training_does_not_draw(snippet):
    seen = snippet.make_batch(64, 6, generator(0))[0]
    held_out = snippet.make_batch(1000, 6, generator(10**6))[0][:, :64]
    assert not torch.equal(seen, held_out)


def test_train_stops_when_the_loss_is_small_or_the_steps_are_used_up(snippet):
    torch.manual_seed(0)
    model = snippet.Recaller(nn.LSTM, 5, H=4)
    assert len(snippet.train(model, T=2, seed=0, steps=3, B=8, enough=0)) == 3
    assert len(snippet.train(model, T=2, seed=0, steps=3, B=8, enough=100.0)) == 1


def test_train_reports_the_loss_before_each_step_and_changes_every_parameter(snippet):
    torch.manual_seed(0)
    model = snippet.Recaller(nn.LSTM, H=4)
    inputs, labels = snippet.make_batch(32, 2, generator(5))
    expected = nn.functional.cross_entropy(model(inputs), labels).item()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    losses = snippet.train(model, T=2, seed=5, steps=1, B=32, lr=0.01)
    assert losses == pytest.approx([expected])
    for name, parameter in model.named_parameters():
        step = (parameter - before[name]).abs().max().item()
        assert step == pytest.approx(0.01, rel=0.01), name  # Adam's first step is lr long
