"""The network in numpy against `torch.nn.RNN`, autograd and finite differences."""

import math
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from readinglist.sources.snippet import definitions

V, H = 6, 4


def random_problem(snippet, steps, seed=0):
    rng = np.random.default_rng(seed)
    parameters = snippet.init_parameters(rng, V, H, scale=0.6)
    parameters["bias_h"] += rng.standard_normal(H)
    parameters["bias_y"] += rng.standard_normal(V)
    return parameters, rng.integers(V, size=steps), rng.integers(V, size=steps), rng.random(H)


def test_first_parameters_have_the_documented_shapes(snippet):
    parameters = snippet.init_parameters(np.random.default_rng(0), 65, 100)
    assert {name: value.shape for name, value in parameters.items()} == {
        "weight_ih": (100, 65),
        "weight_hh": (100, 100),
        "bias_h": (100,),
        "weight_hy": (65, 100),
        "bias_y": (65,),
    }
    assert sum(value.size for value in parameters.values()) == 23_165
    assert parameters["weight_hh"].std() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("steps", [1, 9])
def test_forward_equals_torch(snippet, steps):
    p, inputs, targets, h = random_problem(snippet, steps)
    module = torch.nn.RNN(V, H).double().requires_grad_(False)
    module.weight_ih_l0.copy_(torch.tensor(p["weight_ih"]))
    module.weight_hh_l0.copy_(torch.tensor(p["weight_hh"]))
    module.bias_ih_l0.copy_(torch.tensor(p["bias_h"]))
    module.bias_hh_l0.zero_()
    one_hot = F.one_hot(torch.as_tensor(inputs), V).double()
    hidden, _ = module(one_hot, torch.tensor(h)[None])
    scores = hidden @ torch.tensor(p["weight_hy"]).T + torch.tensor(p["bias_y"])

    loss, states, probabilities = snippet.forward(p, inputs, targets, h)
    expected = F.cross_entropy(scores, torch.as_tensor(targets), reduction="sum")
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_array_equal(states[0], h)
    np.testing.assert_allclose(states[1:], hidden, atol=1e-14)
    np.testing.assert_allclose(probabilities, scores.softmax(dim=1), atol=1e-14)


def test_scores_too_large_for_the_exponential_function_do_no_harm(snippet):
    p, inputs, targets, h = random_problem(snippet, 3)
    before = snippet.forward(p, inputs, targets, h)[0]
    p["bias_y"] += 1000  # the same for each letter, so nothing may change
    assert snippet.forward(p, inputs, targets, h)[0] == pytest.approx(before)


@pytest.mark.parametrize("judge", ["autograd", "finite_differences"])
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_backward_agrees_with_both_judges(snippet, judge, steps):
    p, inputs, targets, h = random_problem(snippet, steps)
    _, states, probabilities = snippet.forward(p, inputs, targets, h)
    ours = snippet.backward(p, inputs, targets, states, probabilities)
    expected = getattr(snippet, judge)(p, inputs, targets, h)
    assert ours.keys() == expected.keys() == p.keys()
    for name in p:
        np.testing.assert_allclose(ours[name], expected[name], atol=1e-8, err_msg=name)


def test_finite_differences_leave_the_parameters_as_they_were(snippet):
    p, inputs, targets, h = random_problem(snippet, 2)
    before = {name: value.copy() for name, value in p.items()}
    snippet.finite_differences(p, inputs, targets, h)
    for name in p:
        np.testing.assert_array_equal(p[name], before[name])


def test_training_begins_at_the_loss_of_guessing_and_learns_a_cycle(snippet):
    p = snippet.init_parameters(np.random.default_rng(0), V, 16)
    text = np.array([0, 1, 2, 1, 3, 1, 4, 5] * 20)  # what follows a 1 needs the letter before
    losses = list(islice(snippet.train(p, text, sequence_length=8), 400))
    assert losses[0] == pytest.approx(8 * math.log(V), abs=0.01)
    assert max(losses[-10:]) < 1, losses[-10:]


def test_the_first_step_is_that_of_torchs_adagrad(snippet):
    p, *_ = random_problem(snippet, 1)
    text = np.random.default_rng(1).integers(V, size=5)
    gradients = snippet.autograd(p, text[:4], text[1:], np.zeros(H))
    expected = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in p.items()}
    for name, gradient in gradients.items():
        expected[name].grad = torch.tensor(gradient).clamp(-0.1, 0.1)
    torch.optim.Adagrad(expected.values(), lr=0.1).step()
    next(snippet.train(p, text, sequence_length=4, clip=0.1))
    for name in p:
        np.testing.assert_allclose(p[name], expected[name].detach(), atol=1e-12, err_msg=name)


@pytest.mark.parametrize("length", [1, 25])
def test_a_text_that_is_too_short_is_refused(snippet, length):
    p = snippet.init_parameters(np.random.default_rng(0), V, H)
    with pytest.raises(ValueError, match=f"has {length} letters; it needs over 25"):
        next(snippet.train(p, np.zeros(length, dtype=int)))


def test_a_text_just_long_enough_is_read(snippet):
    p = snippet.init_parameters(np.random.default_rng(0), V, H)
    assert len(list(islice(snippet.train(p, np.zeros(26, dtype=int)), 3))) == 3


def test_samples_follow_the_probabilities(snippet):
    p = snippet.init_parameters(np.random.default_rng(0), 2, H, scale=0.0)
    p["bias_y"] = np.log([0.2, 0.8])
    drawn = snippet.sample(p, np.random.default_rng(0), first=0, length=4001)
    assert drawn[0] == 0
    assert len(drawn) == 4001
    assert np.mean(drawn[1:]) == pytest.approx(0.8, abs=0.03)


def test_the_core_is_the_network_of_char_rnn_and_trains_the_same_way(snippet):
    program = definitions(Path(__file__).parents[2] / "snippets" / "char_rnn.py")
    text = "".join(f"{n} lazy dogs jump over the fox\n" for n in range(200))
    options = program.Options(hidden_size=8, embedding_size=4, dropout=0, weight_decay=0)
    theirs = program.Training(text, options)
    core = snippet.TorchCore(len(theirs.vocabulary), embedding_size=4, hidden_size=8)
    core.load_state_dict(theirs.model.state_dict())
    read = program.encode(text[: -(len(text) // 10)], theirs.vocabulary)
    losses = snippet.train_core(core, read)
    theirs.step()
    assert next(losses) == pytest.approx(theirs.losses[0])


def test_steps_are_counted_until_the_time_is_over(snippet):
    steps, spent = snippet.steps_within(0.05, iter(range(10**9)))
    assert steps > 100
    numbers = iter(range(10**9))
    assert snippet.steps_within(0.05, numbers)[0] == next(numbers) - 1
    assert 0.05 <= spent < 1
