"""The passes by hand against torch, the labels against the segments."""

import random

import pytest
import torch
from torch import nn


@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_two_passes_are_torchs_output(snippet, num_layers):
    torch.manual_seed(0)
    lstm = nn.LSTM(5, 4, num_layers, bidirectional=True).double()
    x = torch.randn(9, 2, 5, dtype=torch.double)
    torch.testing.assert_close(snippet.by_hand(lstm, x), lstm(x)[0], atol=1e-12, rtol=0)


def test_a_frame_hears_both_ends(snippet):
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, bidirectional=True)
    x = torch.randn(6, 1, 3)
    changed = x.clone()
    changed[5] += 1
    before, after = snippet.by_hand(lstm, x), snippet.by_hand(lstm, changed)
    assert torch.equal(before[:5, :, :4], after[:5, :, :4])  # the past of frames 0 to 4
    assert (before[0, :, 4:] != after[0, :, 4:]).all()  # the future of frame 0


def test_the_label_is_the_class_of_the_next_segment(snippet):
    torch.manual_seed(0)
    templates = 100 * torch.eye(4, 8)  # far above the noise
    x, y = snippet.segments(30, templates, random.Random(0))
    assert (x.shape, y.shape) == ((40, 30, 8), (40, 30))
    seen = x[..., :4].argmax(2)  # the class that each frame shows
    for b in range(30):
        changes = [t for t in range(1, 40) if seen[t, b] != seen[t - 1, b]]
        for t in changes:
            # What shows from t on was the label of the frame before.
            assert y[t - 1, b] == seen[t, b]
        assert y[-1, b] == -100
        assert (y[: changes[-1], b] >= 0).all()


def test_the_classes_of_neighbours_are_independent(snippet):
    x, y = snippet.segments(400, torch.eye(4, 8) * 100, random.Random(1))
    same = (x[..., :4].argmax(2) == y)[y >= 0].double().mean()
    assert abs(same - 1 / 4) < 0.03


def test_a_delay_shifts_the_answers(snippet):
    torch.manual_seed(0)
    x = torch.randn(10, 2, 8)
    at_once = snippet.Tagger(6)
    later = snippet.Tagger(6, delay=3)
    later.load_state_dict(at_once.state_dict())
    assert torch.equal(later(x), at_once(x)[3:])


def test_accuracy_counts_the_labelled_frames(snippet):
    class Fixed(nn.Module):
        def forward(self, x):  # always class 1, and one frame late
            return torch.tensor([0.0, 1, 0, 0]).expand(len(x) - 1, x.shape[1], 4)

    y = torch.tensor([[1], [2], [1], [-100], [0], [1]])
    assert snippet.accuracy(Fixed(), torch.zeros(6, 1, 8), y) == 2 / 4


def test_chance_is_all_that_one_direction_has(snippet):
    torch.manual_seed(0)
    templates, chance = torch.randn(4, 8), random.Random(0)
    x, _ = snippet.segments(2, templates, chance)
    models = snippet.Tagger(4), snippet.Tagger(4, bidirectional=True)
    for model, hangs in zip(models, (False, True), strict=True):
        x.requires_grad_()
        (slope,) = torch.autograd.grad(model(x)[10].sum(), x)
        assert bool(slope[11:].any()) is hangs
