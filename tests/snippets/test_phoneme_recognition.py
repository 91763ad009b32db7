"""The networks against those of other snippets, TIMIT's layout on a small folder, the program."""

import json
import math
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from readinglist.sources.snippet import definitions

SNIPPETS = Path(__file__).parents[2] / "snippets"
PROGRAM = SNIPPETS / "phoneme_recognition.py"
TONES = {"h#": 0, "iy": 300, "aa": 1200, "s": 5000}  # labels, and what they sound like in Hz
SMALL = ("--hidden-size", "6", "--num-layers", "1", "--batch-size", "4", "--every", "1")


def write_sentence(path, labels, frames=1600):
    """Write a sound in the format of NIST, and its labels, each of which lasts so many samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    t = torch.arange(frames) / 16000
    tones = [0.3 * torch.sin(2 * math.pi * TONES[label] * t) for label in labels]
    noise = 0.01 * torch.randn(frames * len(labels), generator=torch.Generator().manual_seed(0))
    sound = (torch.cat(tones) + noise).numpy()
    soundfile.write(path, sound, 16000, format="NIST", subtype="PCM_16")
    suffix = ".PHN" if path.suffix.isupper() else ".phn"
    lines = [f"{k * frames} {(k + 1) * frames} {label}\n" for k, label in enumerate(labels)]
    path.with_suffix(suffix).write_text("".join(lines))


def write_corpus(folder, upper=True):
    """Write a folder laid out as TIMIT: three speakers to train, two of dev, two of the test."""
    chance = random.Random(0)
    speakers = {"train/dr1": ["fcjf0", "mdac0", "mpgh0"], "test/dr1": ["faks0", "felc0", "mjsw0"]}
    speakers["test/dr2"] = ["mtas1", "mabw0"]  # mabw0 is in neither part
    for place, names in speakers.items():
        for name in names:
            for sentence in ("sa1", "sa2", "si1027", "sx37", "sx127"):
                inner = chance.sample(["iy", "aa", "s"], k=chance.randint(2, 3))
                path = f"{place}/{name}/{sentence}.wav"
                write_sentence(folder / (path.upper() if upper else path), ["h#", *inner, "h#"])


@pytest.fixture(scope="module")
def timit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("timit")
    write_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(snippet, timit):
    return snippet.read_timit(timit)


@pytest.fixture
def run(snippet, tmp_path, monkeypatch, capsys):
    """Runs the program in an empty folder; returns status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        capsys.readouterr()
        try:
            status = snippet.main(list(map(str, arguments)))
        except SystemExit as end:  # argparse's way to refuse an option
            status = end.code
        return status, *capsys.readouterr()

    return call


def other(name):
    return definitions(SNIPPETS / f"{name}.py")


def options(snippet, **changes):
    return snippet.Options(hidden_size=6, num_layers=1, batch_size=4, every=1, **changes)


# Settings


def test_the_nine_networks_have_the_papers_weights(snippet):
    # As torch has them: no peepholes, a second bias.
    sizes = other("network_sizes")
    assert list(snippet.SETTINGS)[1:] == [network.name for network in sizes.NETWORKS]
    for network in sizes.NETWORKS:
        setting = snippet.SETTINGS[network.name]
        with torch.device("meta"):
            model = snippet.make_network(62, setting)
        counted = sum(weight.numel() for weight in model.parameters())
        cells = network.hidden_size * network.directions * network.num_layers
        cells += network.hidden_size * network.transducer  # those of the predictor
        peepholes, biases = (3, 4) if network.cell == "lstm" else (0, 1)
        assert counted == sizes.network_weights(network) + (biases - peepholes) * cells
        assert (setting.learning_rate, setting.optimizer, setting.batch_size) == (1e-4, "sgd", 1)
        assert setting.beam_width == 100
    noisy = {name: s.weight_noise for name, s in snippet.SETTINGS.items()}
    assert noisy.pop("small") == noisy.pop("CTC-3l-500h-tanh") == 0
    assert set(noisy.values()) == {0.075}


def test_all_weights_begin_within_a_tenth(snippet, corpus):
    model = snippet.Training(corpus, options(snippet)).model
    values = torch.cat([weight.flatten() for weight in model.parameters()])
    assert 0.09 < values.abs().max() <= 0.1
    torch.testing.assert_close(model.mean, corpus.mean)


# TIMIT


def test_sixty_one_labels_fold_to_thirty_nine(snippet):
    assert len(snippet.LABELS) == len(set(snippet.LABELS)) == 61
    assert len({*snippet.fold(snippet.LABELS)}) == 39
    assert snippet.fold(["h#", "q", "ax-h", "zh", "kcl", "k", "ux", "eng", "dx"]) == [
        "sil", "ah", "sh", "sil", "k", "uw", "ng", "dx",
    ]  # fmt: skip
    assert snippet.fold(["q", "q"]) == []


def test_labels_are_folded_before_they_are_scored(snippet, corpus):
    class Fixed:
        mean = torch.zeros(123)

        def transcribe(self, x, width):
            return [corpus.symbols.index(label) for label in ("pau", "q", "ix", "ao")]

    said = snippet.Utterance("x", torch.zeros(9, 123), ["h#", "ih", "q", "aa", "s"])
    # "sil ih aa" against "sil ih aa s": one edit of four labels.
    assert snippet.phone_error_rate(Fixed(), [said], corpus) == 1 / 4


def test_the_parts_have_their_speakers(snippet):
    dev, core = snippet.DEVELOPMENT.split(), snippet.CORE_TEST.split()
    assert (len(set(dev)), len(set(core))) == (50, 24)
    assert not set(dev) & set(core)
    # Core: from each of eight dialects two men and a woman.
    assert [name[0] for name in core].count("m") == 16


@pytest.mark.parametrize("upper", [True, False])
def test_a_folder_laid_out_as_timit_is_read(snippet, tmp_path, capsys, upper):
    write_corpus(tmp_path, upper)
    corpus = snippet.read_timit(tmp_path)
    speakers = [{u.speaker for u in part} for part in (corpus.train, corpus.dev, corpus.test)]
    assert speakers == [{"fcjf0", "mdac0", "mpgh0"}, {"faks0", "mjsw0"}, {"felc0", "mtas1"}]
    assert [len(part) for part in (corpus.train, corpus.dev, corpus.test)] == [9, 6, 6]
    assert corpus.symbols == ["", *snippet.LABELS]
    first = corpus.train[0]
    assert first.labels[0] == first.labels[-1] == "h#"
    assert first.x.shape == (1 + 10 * len(first.labels), 123)
    assert capsys.readouterr().err.splitlines() == [
        f"{part}; no figure compares with the paper's" for part in (
            "train: 9 utterances by 3 speakers, not 3,696 by 462",
            "dev: 6 utterances by 2 speakers, not 400 by 50",
            "test: 6 utterances by 2 speakers, not 192 by 24",
        )
    ]  # fmt: skip


def test_the_right_numbers_are_not_remarked_on(snippet, timit, monkeypatch, capsys):
    sizes = {"train": (3, 9), "dev": (2, 6), "test": (2, 6)}
    monkeypatch.setitem(snippet.read_timit.__globals__, "SIZES", sizes)
    snippet.read_timit(timit)
    assert capsys.readouterr().err.splitlines()[0] == "train: 9 utterances by 3 speakers"


BAD_LABELS = {
    "missing": (None, r"A\.PHN does not exist; each sound needs its labels beside it"),
    "empty": ("\n", r"A\.PHN holds no labels"),
    "words": ("0 800 iy\nfrom 800 to 900 aa\n", r"A\.PHN:2: 'from 800 to 900 aa' is not 'first-"),
    "two": ("0 800\n", r"A\.PHN:1: '0 800' is not 'first-sample last-sample label'"),
    "unknown": ("0 800 iy\n800 1600 oi\n", r"A\.PHN:2: 'oi' is none of TIMIT's 61 labels"),
    "backwards": ("0 800 iy\n1600 800 aa\n", r"A\.PHN:2: 1600 to 800 does not follow 800"),
    "again": ("0 800 iy\n0 800 aa\n", r"A\.PHN:2: 0 to 800 does not follow 800"),
    "beyond": ("0 800 iy\n800 9000 aa\n", r"A\.PHN:2: the label ends at sample 9,000, but A\.WAV"
               " has 1,600; one of the two is not whole"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_labels_that_do_not_fit_their_sound(snippet, tmp_path, kind):
    text, message = BAD_LABELS[kind]
    write_sentence(tmp_path / "A.WAV", ["iy"])
    if text is None:
        (tmp_path / "A.PHN").unlink()
    else:
        (tmp_path / "A.PHN").write_text(text)
    with pytest.raises(ValueError, match=message):
        snippet.read_labels(tmp_path / "A.PHN", 1600, tmp_path / "A.WAV")


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("TRAIN", "has no folder 'train'; --timit takes TIMIT's folder with 'train' and 'test'"),
        ("TEST", "has no folder 'test'; --timit takes"),
        ("TRAIN/DR1", "has no utterance of the train part of TIMIT"),
        ("TEST/DR1", "has no utterance of the dev part of TIMIT"),
    ],
)
def test_a_folder_that_is_not_timits(run, tmp_path, remove, message):
    write_corpus(tmp_path / "t")
    for path in sorted((tmp_path / "t" / remove).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "t" / remove).rmdir()
    status, _, err = run("--timit", "t")
    assert status == 1
    assert message in err
    assert err.count("\n") <= 3


# Sounds


BAD_SOUNDS = {
    "missing": (None, "does not exist, or is no file"),
    "text": (b"hello", "is not a sound that can be read: Format not recognised."),
    "empty": (b"", "is not a sound that can be read: Format not recognised."),
    "half of wav": ("WAV", "is cut off: 789 of 1,600 samples are there"),
    "half of nist": ("NIST", "is cut off: 544 of 1,600 samples are there"),
    "half of flac": ("FLAC", "is not a sound that can be read: "),
}


@pytest.mark.parametrize("kind", BAD_SOUNDS)
def test_a_sound_that_will_not_do(snippet, tmp_path, kind):
    content, message = BAD_SOUNDS[kind]
    path = tmp_path / "a.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        sound = torch.randn(1600, generator=torch.Generator().manual_seed(0)).numpy() / 10
        soundfile.write(path, sound, 16000, format=content, subtype="PCM_16")
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 4])
    with pytest.raises(ValueError, match=message) as caught:
        snippet.read_sound(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("rate", "samples", "needed", "message"),
    [
        (22050, 3000, 16000, "has 22,050 samples a second, not 16,000; convert it"),
        (8000, 3000, None, "has 8,000 samples a second; 16,000 is the least; record it anew"),
        (16000, 300, None, r"lasts 0\.019 s; a frame needs 0\.025"),
    ],
)
def test_a_rate_or_a_length_that_will_not_do(snippet, tmp_path, rate, samples, needed, message):
    soundfile.write(tmp_path / "a.wav", torch.zeros(samples).numpy(), rate)
    with pytest.raises(ValueError, match=message):
        snippet.read_sound(tmp_path / "a.wav", needed)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_recording_may_have_two_channels_and_any_format(snippet, tmp_path, kind):
    t = torch.arange(44100) / 44100
    one, two = (0.2 * torch.sin(2 * math.pi * f * t) for f in (300, 1000))
    path = tmp_path / f"a.{kind}"
    soundfile.write(path, torch.stack([one, two], 1).numpy(), 44100)
    sound, rate = snippet.read_sound(path)
    assert rate == 44100
    middle = slice(2000, 40000)
    torch.testing.assert_close(sound[middle], ((one + two) / 2)[middle], atol=0.02, rtol=0)


def test_the_features_are_those_of_the_other_snippet(snippet):
    for rate in (16000, 22050, 48000):
        sound = torch.randn(rate, generator=torch.Generator().manual_seed(0)) / 10
        expected = other("speech_features").features(sound, rate)
        torch.testing.assert_close(snippet.features(sound, rate), expected, atol=1e-4, rtol=0)


def test_synthetic_speech_has_parts_without_a_common_voice_or_line(snippet):
    corpus = snippet.synthetic_corpus(90, 20, 40)
    parts = corpus.train, corpus.dev, corpus.test
    assert [len(part) for part in parts] == [90, 20, 40]
    voices = [{u.speaker for u in part} for part in parts]
    assert [len(names) for names in voices] == [80, 8, 16]
    assert len(set.union(*voices)) == 104
    assert not corpus.folded
    assert all(label in corpus.symbols[1:] for part in parts for u in part for label in u.labels)
    again = snippet.synthetic_corpus(90, 20, 40)
    assert corpus.fingerprint == again.fingerprint
    assert corpus.fingerprint != snippet.synthetic_corpus(91, 20, 40).fingerprint


def test_another_process_makes_the_same_speech(tmp_path):
    code = f"""
import hashlib, sys
from pathlib import Path
sys.path.insert(0, {str(SNIPPETS.parent)!r})
from readinglist.sources.snippet import definitions
synthesiser = definitions(Path({str(PROGRAM)!r})).Synthesiser()
sounds = [synthesiser.say("good night", voice)[0] for voice in synthesiser.voices()[:40]]
print(hashlib.sha256(b"".join(sound.numpy().tobytes() for sound in sounds)).hexdigest())
"""
    # Starting takes more than a second, which a seed taken from the clock would show.
    first, second = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert len(first.stdout) == 65
    assert first.stdout == second.stdout


def test_two_sizes_may_be_the_same(snippet):
    corpus = snippet.synthetic_corpus(16, 16, 16)
    assert [len(part) for part in (corpus.train, corpus.dev, corpus.test)] == [16, 16, 16]


# Scores


def test_an_error_rate_is_over_the_whole_corpus_and_can_pass_one(snippet):
    assert snippet.error_rate([list("abcde")], [list("bc")]) == 3 / 2
    assert snippet.error_rate([["a"], []], [["a"], ["a", "b", "c"]]) == 3 / 4
    with pytest.raises(ValueError, match="2 references hold no label; one is the least"):
        snippet.error_rate([["a"], []], [[], []])


# Networks


def test_the_ctc_network_is_torchs_layers_under_torchs_loss(snippet, corpus):
    training = snippet.Training(corpus, options(snippet, directions=2))
    x, labels, lengths = training.batch(training.groups[0])
    model = training.model
    lstm = nn.LSTM(123, 6, bidirectional=True)
    lstm.load_state_dict(model.levels.state_dict())
    scores = F.linear(lstm(x)[0], model.decoder.weight, model.decoder.bias).log_softmax(-1)
    for k in range(len(labels)):
        known = torch.tensor([len(x)]), lengths[k : k + 1]
        loss = F.ctc_loss(scores[:, k : k + 1], labels[k : k + 1], *known, reduction="sum")
        assert model.losses(x, labels, lengths)[k].item() == pytest.approx(loss.item(), rel=1e-5)
    utterance = training.groups[0][0]
    table = model(model.frames(utterance.x)[:, None])[:, 0].detach()
    decoding = other("ctc_decoding")
    assert tuple(model.transcribe(utterance.x)) == decoding.best_path(table)
    sharper = (9 * table).log_softmax(1)
    for width in (2, 7):
        best = decoding.prefix_beam_search(sharper, width)[0][0]
        assert tuple(snippet.prefix_beam_search(sharper, width)) == best


def test_the_transducer_is_that_of_the_other_snippet(snippet, corpus):
    theirs = other("rnn_transducer")
    training = snippet.Training(corpus, options(snippet, output="transducer"))
    model, twin = training.model, theirs.Transducer(123, 6, 62)
    names = {"levels": "transcriber"}
    state = {k: v for k, v in model.state_dict().items() if k not in ("mean", "std")}
    twin.load_state_dict({names.get(k.split(".")[0], k.split(".")[0]) + "." + k.split(".", 1)[1]: v
                          for k, v in state.items()})  # fmt: skip
    x, labels, lengths = training.batch(training.groups[0])
    frames = torch.full_like(lengths, len(x))
    expected = theirs.transducer_loss(twin(x, labels), labels, frames, lengths)
    torch.testing.assert_close(model.losses(x, labels, lengths), expected)
    utterance = corpus.test[0]
    heard = model.frames(utterance.x)[:, None]
    for width in (1, 3):
        best = theirs.beam_search(twin, heard, width)[0][0]
        assert model.transcribe(utterance.x, width) == list(best)


def test_frames_are_every_third_and_normalised(snippet, corpus):
    model = snippet.CTCNetwork(62, snippet.Options(every=3))
    model.begin(corpus)
    x = torch.randn(8, 123)
    torch.testing.assert_close(model.frames(x), ((x - corpus.mean) / corpus.std)[[1, 4, 7]])


def test_a_batch_ends_with_copies_of_the_last_frame(snippet, corpus):
    training = snippet.Training(corpus, options(snippet))
    group = training.groups[-1] + training.groups[0][:1]  # the longest and the shortest
    x, labels, lengths = training.batch(group)
    short = training.model.frames(group[-1].x)
    torch.testing.assert_close(x[: len(short), -1], short)
    torch.testing.assert_close(x[len(short) :, -1], short[-1:].expand(len(x) - len(short), -1))
    assert lengths.tolist() == [len(utterance.labels) for utterance in group]
    assert [corpus.symbols[k] for k in labels[-1, : lengths[-1]]] == group[-1].labels


# Training


@pytest.mark.parametrize("std", [0.0, 0.3])
def test_a_step_is_gradient_descent_with_momentum_at_noisy_weights(snippet, corpus, std):
    how = {"optimizer": "sgd", "learning_rate": 1e-3, "max_norm": 1e9, "weight_noise": std}
    how["first_phase"] = 2 if std else 1
    training = snippet.Training(corpus, options(snippet, **how))
    model = training.model
    weights = {name: w.detach().clone() for name, w in model.named_parameters()}
    velocity = {name: torch.zeros_like(w) for name, w in weights.items()}
    for step in range(2):
        order = list(range(len(training.groups)))
        random.Random("0 0").shuffle(order)
        batch = training.batch(training.groups[order[step]])
        generator = torch.Generator().manual_seed(step)
        noisy = {n: (w + std * torch.randn(w.shape, generator=generator)).requires_grad_()
                 for n, w in weights.items()}  # fmt: skip
        twin = snippet.CTCNetwork(62, training.options)
        twin.mean, twin.std = model.mean, model.std
        loss = torch.func.functional_call(
            Losses(twin), {f"network.{n}": w for n, w in noisy.items()}, batch
        ).mean()
        slopes = torch.autograd.grad(loss, list(noisy.values()))
        for (name, weight), slope in zip(weights.items(), slopes, strict=True):
            velocity[name] = 0.9 * velocity[name] + slope
            weights[name] = weight - 1e-3 * velocity[name]
        training.step()
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight.detach(), weights[name], atol=1e-6, rtol=1e-4)


class Losses(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x, labels, lengths):
        return self.network.losses(x, labels, lengths)


def test_adams_step_size_rises_for_a_sixth_and_falls_to_nothing(snippet, corpus):
    training = snippet.Training(corpus, options(snippet, epochs=40))
    steps = 40 * len(training.groups)
    sizes = []
    for training.done in range(steps):
        sizes.append(training.learning_rate() / training.options.learning_rate)
    peak = sizes.index(max(sizes))
    assert peak == pytest.approx(steps / 6, abs=1)
    assert sizes[peak] == pytest.approx(1, abs=0.03)
    assert sizes == sorted(sizes[: peak + 1]) + sorted(sizes[peak + 1 :], reverse=True)
    assert sizes[-1] < 0.02


def test_a_phase_keeps_its_best_weights_and_waits_as_long_as_it_is_told(
    snippet, corpus, monkeypatch
):
    how = {"weight_noise": 0.1, "epochs": 50, "patience": 2, "optimizer": "sgd"}
    training = snippet.Training(corpus, options(snippet, learning_rate=1e-4, **how))
    losses = iter([3.0, 2.0, 2.5, 2.1, *[9.0] * 9])  # phase 1 ends after the fourth pass
    rates = iter([0.9, 0.9, 0.9, 0.9, 0.7, 0.6, 0.8, 0.6])  # phase 2 after its fourth
    monkeypatch.setattr(training, "dev_loss", lambda: next(losses))
    globals_ = snippet.Training.end_epoch.__globals__
    monkeypatch.setitem(globals_, "phone_error_rate", lambda *_: next(rates))
    seen = []
    training.run(
        lambda: seen.append({n: w.clone() for n, w in training.model.state_dict().items()})
    )
    assert [epoch[0] for epoch in training.history] == [1] * 4 + [2] * 4
    assert training.finished
    # At the end of a phase the model has the weights of its best pass.
    for end, best in ((3, 1), (7, 5)):
        assert all(torch.equal(seen[end][name], seen[best][name]) for name in seen[end])


def test_it_learns_to_tell_tones_apart(snippet, corpus):
    how = {"epochs": 80, "patience": 80, "learning_rate": 0.05}
    training = snippet.Training(corpus, options(snippet, **how))
    training.run()
    training.model.load_state_dict(training.best)
    assert snippet.phone_error_rate(training.model, corpus.test, corpus) < 0.2


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_run(snippet, corpus, monkeypatch, loss):
    training = snippet.Training(corpus, options(snippet))
    monkeypatch.setattr(training, "dev_loss", lambda: loss)
    with pytest.raises(ValueError, match=f"after 3 steps the loss is {loss}; begin anew with a"):
        training.run()


def test_labels_that_do_not_fit_into_the_frames(snippet, corpus):
    with pytest.raises(
        ValueError, match=r"says \d labels in \d frames; CTC needs \d: take a small"
    ):
        snippet.Training(corpus, snippet.Options(hidden_size=6, every=20))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("steps", [0, 4, 7])
def test_a_run_that_stopped_anywhere_ends_as_one_that_did_not(
    snippet, corpus, tmp_path, optimizer, steps
):
    rate = {"adam": 8e-3, "sgd": 1e-3}[optimizer]
    how = {"optimizer": optimizer, "learning_rate": rate, "weight_noise": 0.05, "epochs": 2}
    how = options(snippet, **how)
    whole = snippet.Training(corpus, how)
    whole.run()
    cut = snippet.Training(corpus, how)
    count = iter(range(100))
    cut.run(stopped=lambda: next(count) == steps)
    assert cut.done == steps
    snippet.save_checkpoint(cut, tmp_path / "c")
    record, tensors = snippet.load_checkpoint(tmp_path / "c")
    resumed = snippet.resume(corpus, record, tensors, how)
    resumed.run()
    assert resumed.history == whole.history
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], weight), name


@pytest.mark.parametrize("at", ["tensors", "record"])
def test_a_checkpoint_is_whole_wherever_its_writing_fails(
    snippet, corpus, tmp_path, monkeypatch, at
):
    training = snippet.Training(corpus, options(snippet))
    snippet.save_checkpoint(training, tmp_path)
    training.step()
    globals_ = snippet.save_checkpoint.__globals__

    def fail(*_, **__):
        raise OSError("no space left")

    if at == "tensors":
        monkeypatch.setitem(globals_, "save_file", fail)
    else:
        monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="no space left"):
        snippet.save_checkpoint(training, tmp_path)
    record, _ = snippet.load_checkpoint(tmp_path)
    assert record["done"] == 0
    assert not list(tmp_path.glob(".partial-*"))


def test_a_transducer_begins_with_the_levels_of_a_ctc_network(snippet, corpus):
    how = {"weight_noise": 0.05, "first_phase": 2, "predictor_epochs": 3, "output": "transducer"}
    listener = snippet.Training(corpus, options(snippet)).model
    training = snippet.Training(corpus, options(snippet, seed=1, **how))
    before = {name: w.clone() for name, w in training.model.state_dict().items()}
    snippet.pretrain(training, listener)
    after = training.model.state_dict()
    for name, weight in listener.levels.state_dict().items():
        assert torch.equal(after[f"levels.{name}"], weight)
    changed = {name.split(".")[0] for name in after if not torch.equal(after[name], before[name])}
    assert changed == {"levels", "predictor"}


def test_the_predictor_learns_which_label_comes_next(snippet, corpus, monkeypatch):
    how = {"output": "transducer", "predictor_epochs": 200}
    training = snippet.Training(corpus, options(snippet, **how))
    losses = []

    def noted(*arguments, **named):
        losses.append(F.cross_entropy(*arguments, **named))
        return losses[-1]

    monkeypatch.setitem(snippet.pretrain.__globals__, "cross_entropy", noted)
    snippet.pretrain(training, snippet.Training(corpus, options(snippet)).model)
    # Four labels in use: from ln 61 to less than ln 4.
    assert losses[0].item() == pytest.approx(math.log(62), abs=0.2)
    assert losses[-1].item() < math.log(4)


# The program


def test_train_on_timit_and_transcribe(run, timit, tmp_path):
    train = ("--timit", timit, *SMALL, "--epochs", 3)
    status, out, err = run(*train)
    assert status == 0, err
    assert re.fullmatch(
        r"test: error rate [\d.]+%; 2 speakers, [\d.]+% to [\d.]+%\n", out
    ), out  # fmt: skip
    passes = re.findall(
        r"pass (\d), phase 1: loss ([\d.]+) in training, ([\d.]+) on dev; error", err
    )
    assert [number for number, *_ in passes] == ["1", "2", "3"]
    # A finished run says its result again.
    assert run(*train)[:2] == (0, out)
    status, out, err = run("--audio", timit / "TEST" / "DR1" / "FELC0" / "SX37.WAV")
    assert (status, err) == (0, "")
    assert out.endswith("\n")


def test_a_trained_network_writes_what_it_hears(run, snippet, timit, tmp_path):
    # Six cells learn it with some seeds only, and which ones depends on the processor's rounding.
    learn = ("--hidden-size", 16, "--epochs", 80, "--patience", 80, "--learning-rate", 0.03)
    run("--timit", timit, *SMALL, *learn)
    said = ["h#", "s", "iy", "aa", "h#"]
    write_sentence(tmp_path / "said.wav", said)
    assert run("--audio", "said.wav")[1].split() == said
    assert run("--audio", "said.wav", "--beam-width", 8)[1].split() == said


def test_without_timit_it_makes_its_speech(run, snippet, monkeypatch):
    small = snippet.synthetic_corpus(20, 5, 5)
    monkeypatch.setitem(snippet.main.__globals__, "synthetic_corpus", lambda: small)
    status, out, err = run(*SMALL, "--epochs", 1)
    assert status == 0, err
    assert "test: error rate " in out


def test_a_ctc_network_and_then_a_pretrained_transducer(run, timit, tmp_path):
    levels = ("--timit", timit, *SMALL, "--epochs", 1)
    assert run(*levels, "--checkpoint", "ctc")[0] == 0
    both = ("--output", "transducer", "--pretrained", "ctc", "--predictor-epochs", 1)
    noise = ("--weight-noise", 0.075, "--first-phase", 2)
    status, _, err = run(*levels, *both, *noise, "--checkpoint", "trans")
    assert status == 0, err
    assert "pass 1, phase 2: " in err
    assert (
        run("--audio", timit / "TEST" / "DR1" / "FELC0" / "SX37.WAV", "--checkpoint", "trans")[0]
        == 0
    )


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_loses_nothing(run, timit, tmp_path, sign):
    train = ("--timit", timit, *SMALL, "--epochs", 12, "--weight-noise", 0.05)
    command = [sys.executable, PROGRAM, *map(str, train), "--checkpoint", "cut"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while "pass 1," not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(sign)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert re.search(r"Stopped after step \d+; the same command goes on from there\.\n$", err)
    assert run(*train, "--checkpoint", "cut")[0] == 0
    assert run(*train, "--checkpoint", "whole")[0] == 0
    records = [json.loads((tmp_path / n / "checkpoint.json").read_text()) for n in ("cut", "whole")]
    assert records[0] == records[1]
    tensors = [load_file(tmp_path / n / records[0]["tensors"]) for n in ("cut", "whole")]
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[1])


@pytest.fixture
def trained(run, timit, tmp_path):
    assert run("--timit", timit, *SMALL, "--epochs", 1)[0] == 0
    (tmp_path / "text.txt").write_text("no sound")
    return {"TIMIT": timit}


BAD_CALLS = {
    "--audio none.wav": (1, "none.wav does not exist, or is no file"),
    "--audio text.txt": (1, "text.txt is not a sound that can be read: Format not recognised."),
    "--audio text.txt --checkpoint other": (1, "there is no checkpoint in other; train one, or"),
    "--timit none": (1, "none has no folder 'train'"),
    "--timit TIMIT --hidden-size 7": (1, "--hidden-size 7: the checkpoint was trained with 6; "),
    "--timit TIMIT --setting CTC-3l-250h": (1, ": the checkpoint was trained with "),
    "--timit TIMIT --checkpoint new --setting PreTrans-3l-250h": (
        1, "PreTrans-3l-250h begins with a trained CTC-3l-250h; add --pretrained FOLDER"),
    "--timit TIMIT --checkpoint new --pretrained phoneme_recognition": (
        1, "--pretrained is for a transducer; add --output transducer"),
    "--timit TIMIT --checkpoint new --pretrained none --output transducer": (
        1, "there is no checkpoint in none; train one, or name another"),
    "--timit TIMIT --checkpoint new --pretrained phoneme_recognition --output transducer": (
        1, "has 1 levels of 6 LSTM cells, two directions; this one has 2 levels of 64 LSTM cells"),
    "--timit TIMIT --checkpoint new --first-phase 2": (
        1, "--first-phase 2 is the one with noise; add a --weight-noise above 0"),
    "--timit TIMIT --checkpoint new --every 40": (1, "take a smaller --every"),
    "--setting LSTM": (2, "argument --setting: invalid choice: 'LSTM'"),
    "--cell gru": (2, "argument --cell: invalid choice: 'gru'"),
    "--directions 3": (2, "argument --directions: 3 is not from 1 to 2"),
    "--hidden-size many": (2, "argument --hidden-size: invalid int value: 'many'"),
    "--learning-rate 0": (2, "argument --learning-rate: 0 is not from 1e-09 to 1000"),
    "--threads 0": (2, "argument --threads: 0 is not from 1 to 1024"),
}  # fmt: skip


@pytest.mark.parametrize("call", BAD_CALLS)
def test_a_call_that_will_not_do(trained, run, call):
    status, message = BAD_CALLS[call]
    found, out, err = run(*(trained.get(word, word) for word in call.split()))
    assert (found, out) == (status, "")
    assert message in err
    assert "Traceback" not in err


def test_other_speech_than_the_checkpoints(trained, run, tmp_path):
    write_corpus(tmp_path / "t")
    write_sentence(tmp_path / "t/TRAIN/DR1/FCJF0/SX999.WAV", ["h#", "iy", "h#"])
    status, _, err = run("--timit", "t")
    assert status == 1
    assert "the speech is not what the checkpoint was trained on; name another --checkpoint" in err


@pytest.mark.parametrize("damage", ["json", "field", "tensors", "gone"])
def test_a_damaged_checkpoint_is_named_and_left_alone(trained, run, tmp_path, damage):
    folder = tmp_path / "phoneme_recognition"
    record, (tensors,) = folder / "checkpoint.json", folder.glob("*.safetensors")
    if damage == "json":
        record.write_text("{")
    elif damage == "field":
        record.write_text(json.dumps({**json.loads(record.read_text()), "options": {"levels": 3}}))
    elif damage == "tensors":
        tensors.write_bytes(tensors.read_bytes()[:100])
    else:
        tensors.unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    status, _, err = run("--audio", "text.txt")
    assert status == 1
    assert "the checkpoint in phoneme_recognition is damaged (" in err
    assert "; name another --checkpoint to begin anew, or delete the folder" in err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
