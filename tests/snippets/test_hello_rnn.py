"""The letter models of "hello" against torch's cross-entropy, differences and one-letter inputs."""

import math

import pytest
import torch
from torch.nn import functional as F


def test_one_hot_has_a_single_one_where_the_letter_stands(snippet):
    expected = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    assert snippet.one_hot("elloh").tolist() == expected
    assert snippet.one_hot("").shape == (0, 4)


def test_a_letter_outside_the_vocabulary_is_named(snippet):
    with pytest.raises(ValueError, match=r"found 'a', 'y'; the letters are \['h', 'e', 'l', 'o'\]"):
        snippet.one_hot("yeah")


def test_cross_entropy_equals_torch(snippet):
    torch.manual_seed(0)
    scores = 5 * torch.randn(7, 4, dtype=torch.float64)
    indices = torch.randint(4, (7,))
    ours = snippet.cross_entropy(scores, F.one_hot(indices, 4).double())
    torch.testing.assert_close(ours, F.cross_entropy(scores, indices, reduction="none"))


def test_cross_entropy_of_equal_scores_is_that_of_guessing(snippet):
    loss = snippet.cross_entropy(torch.full((1, 4), 1e4), snippet.one_hot("o"))
    assert loss.item() == pytest.approx(math.log(4))


def test_the_gradient_of_the_loss_is_probability_less_target(snippet):
    torch.manual_seed(0)
    targets = snippet.one_hot("helo").double()
    scores = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(snippet.cross_entropy, (scores, targets))
    snippet.cross_entropy(scores, targets).sum().backward()
    torch.testing.assert_close(scores.grad, scores.softmax(dim=1).detach() - targets)


def test_the_recurrent_model_depends_on_what_came_before(snippet):
    torch.manual_seed(0)
    scores = snippet.Recurrent(3)(snippet.one_hot("hell"))
    assert scores.shape == (4, 4)
    assert not torch.allclose(scores[2], scores[3])
    torch.manual_seed(0)
    torch.testing.assert_close(snippet.Recurrent(3)(snippet.one_hot("he")), scores[:2])


def test_the_feed_forward_model_depends_on_the_letter_alone(snippet):
    torch.manual_seed(0)
    scores = snippet.feed_forward(3)(snippet.one_hot("helloh"))
    assert scores.shape == (6, 4)
    assert torch.equal(scores[2], scores[3])
    assert torch.equal(scores[0], scores[5])


def test_training_lowers_the_loss_and_returns_it(snippet):
    torch.manual_seed(0)
    model = snippet.Recurrent(3)
    first = snippet.train(model, "hello", steps=1)
    before = snippet.cross_entropy(model(snippet.one_hot("hell")), snippet.one_hot("ello")).mean()
    assert snippet.train(model, "hello", steps=1) == pytest.approx(before.item())
    assert snippet.train(model, "hello", steps=50) < first
