"""The noise is normal, is gone afterwards, and moves the gradient, not the weights."""

import pytest
import torch
from torch import nn


@pytest.fixture
def module():
    torch.manual_seed(0)
    return nn.LSTM(6, 50)


def clones(module):
    return [weight.detach().clone() for weight in module.parameters()]


def test_the_weights_come_back_bit_for_bit(snippet, module):
    before = clones(module)
    with snippet.weight_noise(module, 0.5):
        assert not any(map(torch.equal, module.parameters(), before))
    assert all(map(torch.equal, module.parameters(), before))


def test_they_come_back_after_an_exception(snippet, module):
    before = clones(module)
    with pytest.raises(KeyboardInterrupt), snippet.weight_noise(module, 0.5):
        raise KeyboardInterrupt
    assert all(map(torch.equal, module.parameters(), before))


def test_the_noise_is_normal(snippet, module):
    before = clones(module)
    with snippet.weight_noise(module, 0.075, torch.Generator().manual_seed(0)):
        after = clones(module)
    noise = torch.cat([(a - b).flatten() for a, b in zip(after, before, strict=True)]) / 0.075
    n = len(noise)
    assert abs(noise.mean()) < 4 / n**0.5
    assert abs(noise.var() - 1) < 4 * (2 / n) ** 0.5
    assert abs((noise.abs() < 1).float().mean() - 0.6827) < 4 * (0.22 / n) ** 0.5


def test_a_seed_repeats_it(snippet, module):
    drawn = []
    for seed in (1, 1, 2):
        with snippet.weight_noise(module, 0.1, torch.Generator().manual_seed(seed)):
            drawn.append(clones(module)[0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_no_noise_changes_nothing(snippet, module):
    before = clones(module)
    with snippet.weight_noise(module, 0.0):
        assert all(map(torch.equal, module.parameters(), before))


def test_a_negative_deviation(snippet, module):
    before = clones(module)
    message = "-0.1 is negative; 0 is no noise"
    with pytest.raises(ValueError, match=message), snippet.weight_noise(module, -0.1):
        pass
    assert all(map(torch.equal, module.parameters(), before))


def test_the_gradient_is_that_of_the_noisy_weights(snippet):
    # The loss w² has the slope 2 w.
    module = nn.Linear(1, 1, bias=False)
    with snippet.weight_noise(module, 1.0, torch.Generator().manual_seed(0)):
        noisy = module.weight.item()
        module.weight.square().sum().backward()
    assert module.weight.grad.item() == pytest.approx(2 * noisy)
    assert module.weight.item() != noisy


def test_each_sequence_has_a_noise_of_its_own(snippet, monkeypatch):
    # Two sequences make a batch, and two gradients at different weights.
    generator = torch.Generator().manual_seed(0)
    pairs = snippet.sequences(4, generator, torch.eye(6, 12))
    torch.manual_seed(0)
    model = snippet.Network()
    seen = []
    model.register_forward_hook(lambda *_: seen.append(model.decoder.bias.detach().clone()))
    snippet.train(model, pairs, passes=1, std=0.1, size=2)
    assert len({tuple(bias.tolist()) for bias in seen}) == 4
    seen.clear()
    snippet.train(model, pairs, passes=1, std=0.0, size=2)
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[1], seen[2])  # a step lies between


def test_sequences_have_phones_of_two_to_five_frames_and_gaps(snippet):
    quiet = torch.Generator().manual_seed(0)
    for x, labels in snippet.sequences(50, quiet, 100 * torch.eye(6, 12)):
        loud = (x.max(1).values > 50).tolist()
        assert 3 <= len(labels) <= 6
        assert 2 * len(labels) <= sum(loud) <= 5 * len(labels)
        assert len(x) - sum(loud) <= 2 * len(labels)
        heard = [place + 1 for place, on in zip(x.argmax(1).tolist(), loud, strict=True) if on]
        assert sorted(set(heard)) == sorted(set(labels.tolist()))


def test_an_error_rate_counts_edits(snippet):
    class Fixed(nn.Module):
        def forward(self, x):  # names the label 1, whatever it hears
            scores = torch.zeros(len(x), 1, 7)
            scores[:, :, 1] = 1
            return scores

    x = torch.zeros(5, 12)
    pairs = [(x, torch.tensor([1, 2, 3])), (x, torch.tensor([1]))]
    assert snippet.error_rate(Fixed(), pairs) == 2 / 4
