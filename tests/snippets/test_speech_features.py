"""Filters, slopes and powers against closed forms, and the synthesiser's reports."""

import math

import pytest
import torch


@pytest.fixture(scope="module")
def synthesiser(snippet):
    return snippet.Synthesiser()


def test_mel_is_linear_below_and_logarithmic_above(snippet):
    low, high = torch.tensor([0.0, 1.0]), torch.tensor([70_000.0, 140_700.0])
    assert snippet.mel(low).tolist() == pytest.approx([0, 1127 / 700], rel=2e-3)
    # Twice the distance from -700 Hz is ln 2 further on.
    assert snippet.mel(high).diff().item() == pytest.approx(1127 * math.log(2), rel=1e-4)


def test_filters_are_triangles_between_their_neighbours_peaks(snippet):
    edges = [700 * math.expm1(m / 1127) for m in torch.linspace(
        1127 * math.log1p(100 / 700), 1127 * math.log1p(4000 / 700), 7, dtype=torch.double
    ).tolist()]  # fmt: skip
    frequencies = torch.tensor([edges[2], (edges[2] + edges[3]) / 2, edges[3]])
    filters = snippet.mel_filters(frequencies, count=5, lowest=100.0, highest=4000.0)
    expected = torch.zeros(5, 3)
    expected[1], expected[2] = torch.tensor([1, 0.5, 0]), torch.tensor([0, 0.5, 1])
    torch.testing.assert_close(filters, expected, atol=1e-3, rtol=0)


def test_nothing_outside_the_lowest_and_the_highest_frequency(snippet):
    filters = snippet.mel_filters(torch.tensor([0.0, 64.0, 8000.0, 9000.0]))
    assert filters.shape == (40, 4)
    assert filters.abs().max() < 1e-4


@pytest.mark.parametrize("reach", [1, 2, 3])
def test_a_slope_is_that_of_the_line_of_least_squares(snippet, reach):
    x = torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    slopes = snippet.deltas(x, reach)
    for t in range(reach, 12 - reach):
        offsets = torch.arange(-reach, reach + 1, dtype=torch.double)
        design = torch.stack([offsets, torch.ones_like(offsets)], 1)
        fitted = torch.linalg.lstsq(design, x[t - reach : t + reach + 1]).solution[0]
        torch.testing.assert_close(slopes[t], fitted)


def test_the_ends_are_continued_by_copies(snippet):
    x = torch.tensor([[1.0], [2.0], [4.0], [8.0]])
    longer = torch.cat([x[:1], x[:1], x, x[-1:], x[-1:]])
    torch.testing.assert_close(snippet.deltas(x), snippet.deltas(longer)[2:-2])


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_powers_add_up_to_the_mean_square(snippet, rate):
    noise = torch.randn(rate, generator=torch.Generator().manual_seed(0))
    powers, frequencies = snippet.power(noise, rate)
    assert powers.shape == (len(frequencies), 1 + rate // round(0.010 * rate))
    assert frequencies[-1] == rate / 2
    assert powers.sum(0).mean().item() == pytest.approx(noise.square().mean().item(), rel=0.03)


def test_features_are_logarithms_and_two_sets_of_slopes(snippet):
    noise = 0.1 * torch.randn(8000, generator=torch.Generator().manual_seed(0))
    x = snippet.features(noise, 16000, floor=1e-14)
    assert x.shape == (51, 123)
    torch.testing.assert_close(x[:, 41:82], snippet.deltas(x[:, :41]))
    torch.testing.assert_close(x[:, 82:], snippet.deltas(x[:, 41:82]))
    louder = snippet.features(10 * noise, 16000, floor=1e-14)
    torch.testing.assert_close(
        louder[:, :41] - x[:, :41], torch.full((51, 41), math.log(100)), atol=2e-3, rtol=0
    )
    torch.testing.assert_close(louder[:, 41:], x[:, 41:], atol=2e-3, rtol=0)


def test_silence_is_finite(snippet):
    x = snippet.features(torch.zeros(4000), 16000)
    assert torch.equal(x[:, :41], torch.full_like(x[:, :41], math.log(1e-8)))
    assert torch.equal(x[:, 41:], torch.zeros_like(x[:, 41:]))


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (16000, 8000, "8000 samples a second hold no 8,000 Hz; 16,000 is the least"),
        (399, 16000, "399 samples are too few; a frame has 400"),
        (0, 22050, "0 samples are too few; a frame has 551"),
    ],
)
def test_what_has_no_features(snippet, samples, rate, message):
    with pytest.raises(ValueError, match=message):
        snippet.features(torch.zeros(samples), rate)


def test_phones_are_reported_where_they_begin(synthesiser):
    sound, events = synthesiser.say("Sea.")
    assert [phone for phone, _ in events if phone] == ["s", "ˈiː"]
    samples = [sample for _, sample in events]
    assert samples == sorted(samples)
    assert samples[-1] <= len(sound)
    # The hiss changes its sign far more often than the vowel does.
    start = dict(events)["ˈiː"]
    changes = (sound[1:] * sound[:-1] < 0).float()
    assert changes[:start].mean() > 3 * changes[start : start + 2000].mean()


def test_a_voice_speaks_as_fast_as_it_is_told(synthesiser):
    slow, fast = (synthesiser.say("Good night, sweet prince.", speed=s)[0] for s in (100, 200))
    assert len(slow) > 1.5 * len(fast)
    assert slow.abs().max() <= 1


def test_two_synthesisers_do_not_mix(snippet, synthesiser):
    other = snippet.Synthesiser()
    _, ours = synthesiser.say("Sea.")
    _, theirs = other.say("Moon.")
    assert [phone for phone, _ in theirs if phone] == ["m", "ˈuː", "n"]
    assert [phone for phone, _ in ours if phone] == ["s", "ˈiː"]
    assert synthesiser.rate == 22050


def test_a_voice_that_does_not_exist(synthesiser):
    with pytest.raises(ValueError, match="no voice 'en-moon'; en-us and en-us"):
        synthesiser.say("Sea.", voice="en-moon")
