"""Each variant against a torch cell, a formula written out, or a closed form; and the task."""

import math

import pytest
import torch
from torch import sigmoid, tanh

D, H, B, S = 5, 3, 4, 2
STEPS = ["lstm", "peephole_lstm", "coupled_lstm", "gru", "no_forget_lstm"]
BLOCKS = {"lstm": 4, "peephole_lstm": 4, "coupled_lstm": 3, "gru": 3, "no_forget_lstm": 3}


def random_inputs(step, seeds=()):
    """x, h, C and the weights of a step, in double precision; `seeds` is a leading shape."""
    torch.manual_seed(0)
    rows = BLOCKS[step] * H
    shapes = [(B, D), (B, H), (B, H), (rows, D), (rows, H), (rows,)]
    if step == "peephole_lstm":
        shapes.append((3 * H,))
    return [torch.randn(*seeds, *shape, dtype=torch.float64) for shape in shapes]


def layers(x, h, weight_ih, weight_hh, bias):
    """Olah's form: one matrix on [h, x], cut into its blocks."""
    hx = torch.cat([h, x], dim=1)
    W = torch.cat([weight_hh, weight_ih], dim=1)
    return [hx @ w.T + b for w, b in zip(W.split(H), bias.split(H), strict=True)]


def assert_equal(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", STEPS)
def test_shapes_and_stacked_seeds(snippet, name):
    step, stacked = getattr(snippet, name), random_inputs(name, seeds=(S,))
    h, C = step(*stacked)
    assert h.shape == C.shape == (S, B, H)
    for seed in range(S):
        alone_h, alone_C = step(*(value[seed] for value in stacked))
        assert_equal(h[seed], alone_h)
        assert_equal(C[seed], alone_C)


@pytest.mark.parametrize("name", STEPS)
def test_derivatives(snippet, name):
    inputs = [value.requires_grad_() for value in random_inputs(name)]
    assert torch.autograd.gradcheck(getattr(snippet, name), inputs)


@pytest.mark.parametrize(("batch", "input_size", "hidden_size"), [(1, 1, 1), (4, 5, 3), (4, 3, 3)])
def test_the_standard_variant_is_torchs_cell(snippet, batch, input_size, hidden_size):
    torch.manual_seed(0)
    cell = torch.nn.LSTMCell(input_size, hidden_size).double()
    x = torch.randn(batch, input_size, dtype=torch.float64)
    h, C = torch.randn(2, batch, hidden_size, dtype=torch.float64)
    bias = cell.bias_ih + cell.bias_hh
    found = snippet.lstm(x, h, C, cell.weight_ih, cell.weight_hh, bias)
    for ours, torchs in zip(found, cell(x, (h, C)), strict=True):
        assert_equal(ours, torchs)


def test_peepholes_of_zero_change_nothing(snippet):
    *inputs, peep = random_inputs("peephole_lstm")
    found = snippet.peephole_lstm(*inputs, torch.zeros_like(peep))
    for ours, standard in zip(found, snippet.lstm(*inputs), strict=True):
        assert_equal(ours, standard)


def test_peepholes_are_diagonal_and_o_sees_the_new_state(snippet):
    x, h, C, *weights, peep = random_inputs("peephole_lstm")
    i, f, g, o = layers(x, h, *weights)
    W_i, W_f, W_o = (torch.diag(p) for p in peep.split(H))  # as Olah draws them: matrices
    new_C = sigmoid(f + C @ W_f) * C + sigmoid(i + C @ W_i) * tanh(g)
    new_h = sigmoid(o + new_C @ W_o) * tanh(new_C)
    found_h, found_C = snippet.peephole_lstm(x, h, C, *weights, peep)
    assert_equal(found_C, new_C)
    assert_equal(found_h, new_h)


def test_coupled_gates_are_the_standard_cell_with_i_computed_from_f(snippet):
    x, h, C, weight_ih, weight_hh, bias = random_inputs("coupled_lstm")
    f, g, o = layers(x, h, weight_ih, weight_hh, bias)
    f = sigmoid(f)
    new_C = f * C + (1 - f) * tanh(g)
    found_h, found_C = snippet.coupled_lstm(x, h, C, weight_ih, weight_hh, bias)
    assert_equal(found_C, new_C)
    assert_equal(found_h, sigmoid(o) * tanh(new_C))

    def with_input_gate(w):  # 1 - σ(a) = σ(-a): the rows of i are those of f with the sign changed
        return torch.cat([-w[:H], w])

    standard = snippet.lstm(x, h, C, *map(with_input_gate, (weight_ih, weight_hh, bias)))
    assert_equal(found_h, standard[0])
    assert_equal(found_C, standard[1])


def test_gru_is_olahs_figure(snippet):
    x, h, C, *weights = random_inputs("gru")
    r, z, _ = (sigmoid(layer) for layer in layers(x, h, *weights))
    *_, h_tilde = layers(x, r * h, *weights)
    found, same = snippet.gru(x, h, C, *weights)
    assert_equal(found, (1 - z) * h + z * tanh(h_tilde))
    assert same is found


def test_gru_is_torchs_cell_where_the_conventions_agree(snippet):
    x, h, C, weight_ih, weight_hh, bias = random_inputs("gru")
    weight_hh[2 * H :] = torch.diag(weight_hh[2 * H])  # commutes with r
    cell = torch.nn.GRUCell(D, H).double()
    sign = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64).repeat_interleave(H)  # z turned
    cell.weight_ih.data, cell.weight_hh.data = sign[:, None] * weight_ih, sign[:, None] * weight_hh
    cell.bias_ih.data, cell.bias_hh.data = sign * bias, 0 * bias
    assert_equal(snippet.gru(x, h, C, weight_ih, weight_hh, bias)[0], cell(x, h))


def test_the_cell_without_forget_gate_only_adds(snippet):
    x, h, C, weight_ih, weight_hh, bias = random_inputs("no_forget_lstm")
    weight_ih, weight_hh = 0 * weight_ih, 0 * weight_hh  # so each step adds the same
    i, g, o = bias.split(H)
    start, steps = C, 50
    for _ in range(steps):
        h, C = snippet.no_forget_lstm(x, h, C, weight_ih, weight_hh, bias)
    torch.testing.assert_close(C, start + steps * sigmoid(i) * tanh(g), rtol=0, atol=1e-11)
    assert_equal(h, sigmoid(o) * tanh(C))


def test_the_cell_without_forget_gate_is_the_standard_one_with_f_open(snippet):
    x, h, C, weight_ih, weight_hh, bias = random_inputs("no_forget_lstm")

    def with_forget_gate(w, value):
        return torch.cat([w[:H], torch.full_like(w[:H], value), w[H:]])

    weights = [with_forget_gate(w, 0.0) for w in (weight_ih, weight_hh)]
    standard = snippet.lstm(x, h, C, *weights, with_forget_gate(bias, 50.0))
    found = snippet.no_forget_lstm(x, h, C, weight_ih, weight_hh, bias)
    assert_equal(found[0], standard[0])
    assert_equal(found[1], standard[1])


@pytest.mark.parametrize(
    ("variant", "blocks", "extra"),
    [
        ("standard", 4, 0),
        ("peephole", 4, 3),
        ("coupled", 3, 0),
        ("GRU", 3, 0),
        ("no forget", 3, 0),
    ],
)
@pytest.mark.parametrize(("input_size", "hidden_size"), [(10, 20), (1, 1), (7, 2)])
def test_parameter_counts(snippet, variant, blocks, extra, input_size, hidden_size):
    weights = snippet.new_weights(variant, input_size, hidden_size, seeds=S)
    block = hidden_size * (input_size + hidden_size + 1)
    assert all(len(weight) == S for weight in weights.values())
    found = sum(weight[0].numel() for weight in weights.values())
    assert found == blocks * block + extra * hidden_size


def test_every_variant_has_a_test_above(snippet):
    assert sorted(step.__name__ for step, _ in snippet.VARIANTS.values()) == sorted(STEPS)
    for step, names in snippet.VARIANTS.values():
        assert len(names) == BLOCKS[step.__name__]


def test_only_the_bias_of_the_keeping_gate_is_not_zero(snippet):
    expected = {
        "standard": [0, 1, 0, 0],
        "peephole": [0, 1, 0, 0],
        "coupled": [1, 0, 0],
        "GRU": [0, -1, 0],  # z writes
        "no forget": [0, 0, 0],
    }
    for variant, values in expected.items():
        bias = snippet.new_weights(variant, D, H, seeds=S)["bias"]
        assert bias.tolist() == [[v for v in values for _ in range(H)]] * S


def test_seeds_start_from_different_weights(snippet):
    weights = snippet.new_weights("peephole", D, H, seeds=S)
    for name in ("weight_ih", "weight_hh", "weight_peep"):
        assert not torch.equal(weights[name][0], weights[name][1])
        assert weights[name].abs().max() <= H**-0.5


def test_answers_hold_the_first_symbol_after_a_reset(snippet):
    R = snippet.RESET
    events = torch.tensor([2, 0, 3, R, 0, R, 4, 4, 1, 0, R])
    answers = torch.tensor([2, 2, 2, 0, 0, 0, 4, 4, 4, 4, 0])
    found, held = snippet.symbols_held(events[:, None, None], torch.zeros(1, 1, dtype=torch.int64))
    assert found.flatten().tolist() == answers.tolist()
    assert held.tolist() == [[0]]


def test_answers_carry_over_from_window_to_window(snippet):
    generator = torch.Generator().manual_seed(0)
    events = snippet.new_events(30, S, B, generator)
    start = torch.zeros(S, B, dtype=torch.int64)
    whole, end = snippet.symbols_held(events, start)
    first, held = snippet.symbols_held(events[:11], start)
    second, last = snippet.symbols_held(events[11:], held)
    assert torch.equal(torch.cat([first, second]), whole)
    assert torch.equal(last, end)


def test_events_have_their_chances(snippet):
    events = snippet.new_events(100, 10, 50, torch.Generator().manual_seed(0))
    assert events.shape == (100, 10, 50)
    share = events.flatten().bincount(minlength=6) / events.numel()
    torch.testing.assert_close(share, torch.tensor([0.6, *[0.075] * 4, 0.1]), rtol=0, atol=0.01)


def test_run_is_the_steps_one_after_another(snippet):
    torch.manual_seed(0)
    weights = snippet.new_weights("standard", 6, H, seeds=S)
    events = snippet.new_events(7, S, B, torch.Generator().manual_seed(0))
    h, C, _ = snippet.blank(S, B, H)
    hs, Cs = snippet.run(snippet.lstm, weights, events, h, C)
    assert hs.shape == Cs.shape == (7, S, B, H)
    for seed in range(S):
        module = torch.nn.LSTM(6, H)
        module.weight_ih_l0.data, module.weight_hh_l0.data = (
            weights["weight_ih"][seed],
            weights["weight_hh"][seed],
        )
        module.bias_ih_l0.data, module.bias_hh_l0.data = weights["bias"][seed], torch.zeros(4 * H)
        one_hot = torch.nn.functional.one_hot(events[:, seed], 6).float()
        output, (_, C_last) = module(one_hot)
        torch.testing.assert_close(hs[:, seed], output, rtol=0, atol=1e-6)
        torch.testing.assert_close(Cs[-1, seed], C_last[0], rtol=0, atol=1e-6)


def test_loss_is_in_nats_and_seeds_do_not_touch(snippet):
    torch.manual_seed(0)
    logits = torch.randn(6, S, B, 5, requires_grad=True)
    answers = torch.randint(5, (6, S, B))
    found = snippet.loss_by_seed(logits, answers)
    assert found.shape == (S,)
    for seed in range(S):
        picked = logits[:, seed].log_softmax(-1).gather(-1, answers[:, seed, :, None])
        torch.testing.assert_close(found[seed], -picked.mean())
    found[0].backward()
    assert logits.grad[:, 0].abs().min() > 0
    assert logits.grad[:, 1].abs().max() == 0
    uniform = snippet.loss_by_seed(torch.zeros(6, S, B, 5), answers)
    torch.testing.assert_close(uniform, torch.full((S,), math.log(5)))


def test_follow_scores_the_steps_after_the_warm_up(snippet):
    torch.manual_seed(0)
    weights, readout = snippet.new_weights("GRU", 6, H, seeds=S), 5 * torch.randn(S, 5, H)
    loss, wrong, Cs = snippet.follow("GRU", weights, readout, steps=40, warm_up=30, batch=B)
    events = snippet.new_events(40, S, B, torch.Generator().manual_seed(2))
    h, C, held = snippet.blank(S, B, H)
    answers = snippet.symbols_held(events, held)[0][30:]
    hs, states = snippet.run(snippet.gru, weights, events, h, C)
    logits = torch.einsum("tsbh,skh->tsbk", hs[30:], readout)
    torch.testing.assert_close(Cs, states)
    torch.testing.assert_close(loss, snippet.loss_by_seed(logits, answers))
    errors = logits.argmax(dim=-1) != answers
    torch.testing.assert_close(wrong, errors.float().mean(dim=(0, 2)))


def test_updates_are_repeatable_and_clearing_matters_from_the_second_on(snippet):
    def train(updates, clear):
        sizes = {"steps": 3, "seeds": S, "batch": B, "hidden_size": H}
        weights, readout, stuck = snippet.train("standard", clear, updates, **sizes)
        assert readout.shape == (S, 5, H)
        assert len(stuck) == updates
        return weights["weight_hh"]

    assert torch.equal(train(2, clear=False), train(2, clear=False))
    assert torch.equal(train(1, clear=False), train(1, clear=True))
    assert not torch.equal(train(3, clear=False), train(3, clear=True))
