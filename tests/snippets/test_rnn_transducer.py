"""The loss against a list of all ways and against counts; the decoders against the loss."""

import itertools
import math

import pytest
import torch

T, U, V = 4, 3, 4


@pytest.fixture
def batch():
    """Two utterances, the second shorter in frames and in labels."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, T, U + 1, V, dtype=torch.double, generator=generator)
    labels = torch.tensor([[3, 1, 1], [2, 2, 0]])
    return logits.requires_grad_(), labels, torch.tensor([4, 3]), torch.tensor([3, 2])


@pytest.fixture(scope="module")
def model(snippet):
    torch.manual_seed(0)
    return snippet.Transducer(input_size=5, hidden_size=6, V=4).double()


def listed(snippet, logits, labels, frames, lengths):
    table = logits.log_softmax(-1)
    sums = []
    for b, (t, u) in enumerate(zip(frames.tolist(), lengths.tolist(), strict=True)):
        ways = [
            snippet.path_log_probability(table[b], labels[b].tolist(), path)
            for path in snippet.every_path(t, u)
        ]
        sums.append(torch.stack(ways).logsumexp(0))
    return -torch.stack(sums)


@pytest.mark.parametrize(("frames", "labels"), [(1, 0), (1, 3), (4, 0), (4, 2), (6, 5)])
def test_there_are_as_many_ways_as_the_binomial_says(snippet, frames, labels):
    paths = [tuple(path) for path in snippet.every_path(frames, labels)]
    assert len(paths) == len(set(paths)) == math.comb(frames - 1 + labels, labels)
    assert all(sum(path) == labels for path in paths)


@pytest.mark.parametrize("name", ["transducer_loss", "two_loops"])
def test_the_loss_is_the_sum_over_all_ways(snippet, batch, name):
    loss, expected = getattr(snippet, name)(*batch), listed(snippet, *batch)
    torch.testing.assert_close(loss, expected, atol=1e-9, rtol=0)
    slopes = [torch.autograd.grad(value.sum(), batch[0])[0] for value in (loss, expected)]
    torch.testing.assert_close(*slopes, atol=1e-9, rtol=0)


def test_the_gradient_is_that_of_differences(snippet, batch):
    logits, *rest = batch
    assert torch.autograd.gradcheck(lambda x: snippet.transducer_loss(x, *rest), logits)


def test_one_loop_equals_two_at_the_size_of_an_utterance(snippet):
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3, 40, 13, 20, generator=generator)
    labels = torch.randint(1, 20, (3, 12), generator=generator)
    counts = torch.tensor([40, 31, 1]), torch.tensor([12, 0, 5])
    torch.testing.assert_close(
        snippet.transducer_loss(logits, labels, *counts),
        snippet.two_loops(logits, labels, *counts),
        rtol=1e-4, atol=1e-3,
    )  # fmt: skip


def test_equal_logits_count_the_ways(snippet):
    # Each way has T blanks and U labels, and each move the probability 1 / V.
    loss = snippet.transducer_loss(
        torch.zeros(1, 5, 4, 7, dtype=torch.double), torch.tensor([[1, 2, 3]]),
        torch.tensor([5]), torch.tensor([3]),
    )  # fmt: skip
    expected = 8 * math.log(7) - math.log(math.comb(4 + 3, 3))
    assert loss.item() == pytest.approx(expected, abs=1e-9)


def test_padding_does_not_count(snippet, batch):
    logits, labels, frames, lengths = batch
    changed = logits.detach().clone()
    changed[1, 3:] = 99.0
    changed[1, :, 3:] = -99.0
    other = labels.clone()
    other[1, 2] = 3
    torch.testing.assert_close(
        snippet.transducer_loss(changed, other, frames, lengths)[1],
        snippet.transducer_loss(*batch)[1].detach(),
    )


def test_all_labellings_of_all_lengths_sum_to_one(snippet):
    # A blank of probability one half: more than 20 labels in two frames are out of the question.
    frames, symbols, most = 2, 2, 40
    logits = torch.zeros(1, frames, most + 1, symbols, dtype=torch.double)
    total = sum(
        snippet.transducer_loss(
            logits[:, :, : count + 1], torch.ones(1, count, dtype=torch.long),
            torch.tensor([frames]), torch.tensor([count]),
        ).neg().exp().item()
        for count in range(most + 1)
    )  # fmt: skip
    assert total == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("labels", "frames", "lengths", "message"),
    [
        ((2, 4), [4, 3], [3, 2], r"labels \(2, 4\) do not fit logits; \(2, 3\) would"),
        ((1, 3), [4, 3], [3, 2], r"labels \(1, 3\) do not fit"),
        ((2, 3), [5, 3], [3, 2], r"frames \[5, 3\] are not from 1 to 4"),
        ((2, 3), [4, 0], [3, 2], r"frames \[4, 0\] are not from 1 to 4"),
        ((2, 3), [4, 3], [4, 2], r"lengths \[4, 2\] are not from 0 to 3"),
        ((2, 3), [4, 3], [3, -1], r"lengths \[3, -1\] are not from 0 to 3"),
    ],
)
def test_what_does_not_fit(snippet, batch, labels, frames, lengths, message):
    with pytest.raises(ValueError, match=message):
        snippet.transducer_loss(
            batch[0], torch.ones(labels, dtype=torch.long), torch.tensor(frames),
            torch.tensor(lengths),
        )  # fmt: skip


def test_a_wide_beam_gives_each_labelling_its_probability(snippet, model):
    x = torch.randn(2, 1, 5, dtype=torch.double, generator=torch.Generator().manual_seed(2))
    found = dict(snippet.beam_search(model, x, width=10_000, most=3))
    for count in range(4):
        for labels in itertools.product((1, 2, 3), repeat=count):
            target = torch.tensor([labels], dtype=torch.long).reshape(1, count)
            counts = torch.tensor([2]), torch.tensor([count])
            loss = snippet.transducer_loss(model(x, target), target, *counts)
            assert found[labels] == pytest.approx(-loss.item(), abs=1e-9)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_narrow_beam_keeps_what_it_should(snippet, model):
    x = torch.randn(6, 1, 5, dtype=torch.double, generator=torch.Generator().manual_seed(3))
    found = snippet.beam_search(model, x, width=3)
    assert len(found) == 3
    wide = snippet.beam_search(model, x, width=100)
    assert found[0][1] <= wide[0][1] + 1e-12


@pytest.mark.parametrize("width", [0, -1])
def test_a_beam_that_keeps_nothing(snippet, model, width):
    with pytest.raises(ValueError, match=f"width {width} keeps nothing; 1 is the least"):
        snippet.beam_search(model, torch.zeros(2, 1, 5, dtype=torch.double), width=width)


def test_greedy_takes_the_best_symbol_each_time(snippet, model):
    x = torch.randn(8, 1, 5, dtype=torch.double, generator=torch.Generator().manual_seed(4))
    labels = snippet.greedy(model, x, most=2)
    # Replay it with the logits of the whole lattice.
    with torch.no_grad():
        logits = model(x, torch.tensor([labels], dtype=torch.long).reshape(1, -1))[0]
    t = u = in_frame = 0
    while t < 8:
        best = logits[t, u].argmax().item()
        if best and in_frame < 2:
            assert labels[u] == best
            u, in_frame = u + 1, in_frame + 1
        else:
            t, in_frame = t + 1, 0
    assert u == len(labels)


def test_logits_of_a_prefix_do_not_hang_on_what_follows(snippet, model):
    x = torch.randn(3, 1, 5, dtype=torch.double)
    with torch.no_grad():
        first = model(x, torch.tensor([[1, 2, 3]]))
        second = model(x, torch.tensor([[1, 2, 1]]))
    torch.testing.assert_close(first[:, :, :3], second[:, :, :3])
    assert not torch.allclose(first[:, :, 3], second[:, :, 3])


def test_batches_have_every_utterance_once_and_end_quietly(snippet):
    utterances = [
        (torch.full((n, 2), float(n)), torch.tensor([1] * (n % 3 + 1))) for n in range(3, 12)
    ]
    seen = []
    for x, labels, frames, lengths in snippet.batches(utterances, 4, epoch=1):
        assert x.shape[1] == len(labels) == len(frames) == len(lengths) <= 4
        assert (frames == len(x)).all()
        assert torch.equal(x[0], x[-1])  # padded with the last frame
        seen += x[0, :, 0].tolist()
        assert ((labels > 0).sum(1) == lengths).all()
    assert sorted(seen) == list(range(3, 12))


def test_the_corpus_keeps_voices_and_lines_apart(snippet):
    training, test, symbols = snippet.make_corpus(20, 10)
    assert (len(training), len(test), symbols[0]) == (20, 10, "")
    x = torch.cat([x for x, _ in training])
    torch.testing.assert_close(x.mean(0), torch.zeros(123), atol=1e-4, rtol=0)
    torch.testing.assert_close(x.std(0), torch.ones(123), atol=1e-3, rtol=0)
    assert all(labels.min() >= 1 and labels.max() < len(symbols) for _, labels in training + test)
