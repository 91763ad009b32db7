"""The word model against torch.nn, and the program as a user runs it, on small files."""

import io
import json
import math
import os
import pty
import random
import re
import signal
import subprocess
import sys
import sysconfig
import termios
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

PROGRAM = Path(__file__).parents[2] / "snippets" / "word_language_model.py"
ANIMALS = ("fox", "dog", "cat", "hen", "owl")
LINES = [f"the {a} saw the {b}, and the {b} ran" for a in ANIMALS for b in ANIMALS if a != b]
TEXT = "\n".join(random.Random(0).choices(LINES, k=150)) + "\n"
SMALL = ("--hidden-size", "8", "--batch-size", "4", "--sequence-length", "8", "--dropout", "0.2")


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


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def treebank(tmp_path):
    """A folder laid out as Mikolov's: words between spaces, a space at either end of a line."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, count in (("train", 120), ("valid", 12), ("test", 9)):
        lines = [f" the {ANIMALS[k % 5]} 's N <unk> u.s. \n" for k in range(count)]
        (folder / f"ptb.{name}.txt").write_text("".join(lines))
    return folder


def small_options(snippet, **changes):
    sizes = {"hidden_size": 8, "batch_size": 4, "sequence_length": 8, "vocabulary_size": 50}
    return snippet.Options(**{**sizes, "epochs": 2, **changes})


def small_corpus(snippet):
    return snippet.make_corpus(*snippet.split(snippet.words_of(TEXT)), 50)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def weights(folder):
    record = json.loads((folder / "checkpoint.json").read_text())
    return load_file(folder / record["tensors"])


# The settings


def test_the_settings_are_those_of_the_tutorials_script(snippet):
    names = ("hidden_size", "num_layers", "sequence_length", "batch_size", "vocabulary_size")
    names += ("init_scale", "learning_rate", "max_norm", "full_epochs", "epochs")
    expected = {
        "small": (200, 2, 20, 20, 10000, 0.1, 1.0, 5, 4, 13),
        "medium": (650, 2, 35, 20, 10000, 0.05, 1.0, 5, 6, 39),
        "large": (1500, 2, 35, 20, 10000, 0.04, 1.0, 10, 14, 55),
    }
    for model, values in expected.items():
        assert tuple(getattr(snippet.SETTINGS[model], name) for name in names) == values
    keep = [1 - options.dropout for options in snippet.SETTINGS.values()]
    assert keep == pytest.approx([1.0, 0.5, 0.35])
    decay = [options.decay for options in snippet.SETTINGS.values()]
    assert decay == pytest.approx([0.5, 0.8, 1 / 1.15])


def test_the_learning_rate_falls_after_the_full_passes(snippet):
    rates = [snippet.learning_rate(epoch, snippet.SETTINGS["small"]) for epoch in range(13)]
    assert rates[:6] == [1, 1, 1, 1, 0.5, 0.25]
    assert rates[12] == 0.5**9


# The model


@pytest.mark.parametrize("num_layers", [1, 2])
def test_the_model_is_torchs_layers_between_embedding_and_decoder(snippet, num_layers):
    options = small_options(snippet, num_layers=num_layers, dropout=0.5)
    model = snippet.WordLanguageModel(11, options).eval()
    plain = nn.LSTM(8, 8, num_layers)
    for k, layer in enumerate(model.layers):
        state = {name.replace("l0", f"l{k}"): w for name, w in layer.state_dict().items()}
        plain.load_state_dict(plain.state_dict() | state)
    x, before = torch.randint(11, (5, 3)), torch.rand(2, num_layers, 1, 3, 8).unbind()
    scores, state = model(x, list(zip(*before, strict=True)))
    hidden, (h, c) = plain(model.embedding.weight[x], tuple(s.flatten(0, 1) for s in before))
    torch.testing.assert_close(scores, hidden @ model.decoder.weight.T + model.decoder.bias)
    torch.testing.assert_close(torch.cat([pair[0] for pair in state]), h)
    torch.testing.assert_close(torch.cat([pair[1] for pair in state]), c)


def test_all_weights_begin_within_the_scale(snippet):
    model = snippet.WordLanguageModel(50, small_options(snippet, init_scale=0.03))
    for name, weight in model.named_parameters():
        assert 0.02 < weight.abs().max() <= 0.03, name


def test_dropout_stands_before_and_after_each_layer(snippet):
    options = small_options(snippet, hidden_size=40, num_layers=3, dropout=0.4)
    model, seen = snippet.WordLanguageModel(11, options), []
    for module in (*model.layers, model.decoder):
        module.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    model(torch.randint(11, (30, 10)))
    assert len(seen) == 4
    for inputs in seen:
        assert (inputs == 0).float().mean().item() == pytest.approx(0.4, abs=0.02)


def test_dropout_keeps_the_mean_and_does_nothing_in_evaluation(snippet):
    dropout, x = snippet.SharedDropout(0.4), torch.ones(50, 20, 10)
    out = dropout(x)
    assert out.unique().tolist() == pytest.approx([0, 1 / 0.6])
    assert out.mean().item() == pytest.approx(1, abs=0.03)
    assert dropout.eval()(x) is x


def test_processes_share_one_mask(snippet):
    whole = snippet.SharedDropout(0.5)
    shares = [snippet.SharedDropout(0.5, rank, 3) for rank in range(3)]
    for dropout in (whole, *shares):
        dropout.generator.manual_seed(4)
    x = torch.rand(7, 6, 5)
    parts = [dropout(part) for dropout, part in zip(shares, x.chunk(3, dim=1), strict=True)]
    assert torch.equal(torch.cat(parts, dim=1), whole(x))


# The words


def test_words_of_a_text_are_lower_case_without_marks(snippet):
    text = "Don't — stop!\n\nÉtude no. 5:\tl’été\n"
    expected = ["don't", "stop", "<eos>", "étude", "no", "5", "l’été", "<eos>"]
    assert snippet.words_of(text) == expected


def test_words_of_the_treebank_stay_as_they_are(snippet):
    line = "mr. <unk> is N years old"
    expected = ["mr.", "<unk>", "is", "N", "years", "old", "<eos>"]
    assert snippet.words_of(f" {line} \n{line}\n", treebank=True) == expected * 2


def test_a_file_without_line_ends_is_one_line(snippet, tmp_path):
    (tmp_path / "one.txt").write_bytes(b"\xef\xbb\xbfone two three")
    assert snippet.read_words(tmp_path / "one.txt") == ["one", "two", "three", "<eos>"]


def test_rare_and_new_words_become_unknown_and_are_counted(snippet):
    train = ["a", "a", "a", "b", "b", "<unk>", "c", "<eos>", "d", "<eos>"]
    corpus = snippet.make_corpus(train, ["b", "zebra"], ["c", "a", "d", "e"], 4)
    assert corpus.vocabulary == ["<unk>", "a", "b", "<eos>"]
    assert corpus.train.tolist() == [1, 1, 1, 2, 2, 0, 0, 3, 0, 3]
    assert corpus.valid.tolist() == [2, 0]
    assert corpus.test.tolist() == [0, 1, 0, 0]
    shares = [corpus.unknown(part) for part in ("train", "valid", "test")]
    assert shares == pytest.approx([0.3, 0.5, 0.75])


def test_a_text_is_split_into_nine_tenths_and_two_halves_of_a_tenth(snippet):
    words = [str(n) for n in range(100)]
    train, valid, test = snippet.split(words)
    assert (len(train), len(valid), len(test)) == (90, 5, 5)
    assert train + valid + test == words


def test_rows_are_contiguous_and_targets_are_one_further(snippet):
    inputs, targets = snippet.rows(torch.arange(11), 3)
    assert inputs.T.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert targets.T.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    with pytest.raises(ValueError, match="4 words do not fill 4 rows; take a longer text"):
        snippet.rows(torch.arange(4), 4)


def test_all_of_shakespeares_plays_are_read_or_those_of_a_kind(snippet):
    tragedies, plays = snippet.shakespeare_words("tragedies"), snippet.shakespeare_words()
    assert 160_000 < len(tragedies) < 180_000
    assert 900_000 < len(plays) < 1_100_000
    question = "to be or not to be that is the question <eos>"
    assert question in " ".join(tragedies)


# Training


def test_perplexity_is_the_exponential_of_the_cross_entropy(snippet):
    model = snippet.WordLanguageModel(9, small_options(snippet, dropout=0.5, init_scale=1))
    indices = torch.randint(9, (47,))
    found = snippet.perplexity(model, indices, 1)
    assert model.training
    scores, _ = model.eval()(indices[:-1, None])
    assert found == pytest.approx(F.cross_entropy(scores[:, 0], indices[1:]).exp().item())


def test_a_loss_without_bound_has_an_infinite_perplexity(snippet):
    assert snippet.exponential(1e4) == snippet.exponential(math.inf) == math.inf
    assert snippet.exponential(math.log(5)) == pytest.approx(5)


def test_a_step_is_that_of_plain_gradient_descent_on_the_summed_loss(snippet):
    options = small_options(snippet, learning_rate=0.7, max_norm=0.3)
    training = snippet.Training(small_corpus(snippet), options)
    twin = snippet.WordLanguageModel(len(training.corpus.vocabulary), options)
    twin.load_state_dict(training.model.state_dict())
    scores, _ = twin(training.inputs[:8])
    (F.cross_entropy(scores.flatten(0, 1), training.targets[:8].flatten()) * 8).backward()
    norm = torch.cat([w.grad.flatten() for w in twin.parameters()]).norm()
    assert norm > 0.3
    training.step()
    for ours, theirs in zip(training.model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs - 0.7 * theirs.grad * 0.3 / norm)


def test_the_state_goes_on_from_step_to_step_and_starts_anew_with_the_text(snippet):
    training, states = snippet.Training(small_corpus(snippet), small_options(snippet)), []
    forward = training.model.forward
    training.parallel = lambda x, state: states.append(state) or forward(x, state)
    for _ in range(training.steps_per_epoch + 1):
        training.step()
    assert [k for k, state in enumerate(states) if state is None] == [0, training.steps_per_epoch]
    assert [part.shape for pair in states[1] for part in pair] == [(1, 4, 8)] * 4
    assert not any(part.requires_grad for pair in states[1] for part in pair)


def test_training_learns_and_keeps_the_best_weights(snippet):
    options = small_options(snippet, hidden_size=24, epochs=6)
    training = snippet.Training(small_corpus(snippet), options)
    best = []
    training.run(lambda: best.append(training.best))
    valid = [each for _, each in training.history]
    assert min(valid) < 4 < len(training.corpus.vocabulary) / 2
    assert training.best is best[valid.index(min(valid))]


def test_a_loss_that_is_no_number_ends_the_run(snippet):
    options = small_options(snippet, learning_rate=1000.0, max_norm=1e9, init_scale=10)
    training = snippet.Training(small_corpus(snippet), options)
    with torch.no_grad():
        training.model.decoder.bias[0] = math.nan
    with pytest.raises(ValueError, match=r"after \d+ steps the loss is no number any more; begin"):
        training.run()


# Scoring and writing


def test_surprisal_is_minus_the_logarithm_of_each_probability(snippet):
    model = snippet.WordLanguageModel(4, small_options(snippet, init_scale=1)).eval()
    vocabulary = ["<unk>", "<eos>", "a", "b"]
    found = snippet.surprisal(model, vocabulary, ["b", "new", "a"])
    scores, _ = model(torch.tensor([[1], [3], [0]]))
    chances = scores[:, 0].softmax(-1)[range(3), [3, 0, 2]]
    torch.testing.assert_close(found.float(), -chances.log2())


def test_a_sample_follows_the_probabilities_without_unknown_words(snippet):
    model = snippet.WordLanguageModel(4, small_options(snippet)).eval()
    vocabulary = ["<unk>", "<eos>", "a", "b"]
    with torch.no_grad():
        model.decoder.weight.zero_()
        model.decoder.bias.copy_(torch.tensor([0.5, 0.2, 0.2, 0.1]).log())
    one, two, other = (snippet.sample(model, vocabulary, ["a"], 3000, 0.5, k) for k in (1, 1, 2))
    assert one == two != other
    assert len(one) == 3001
    shares = [one.count(word) / 3000 for word in vocabulary]
    assert shares == pytest.approx([0, 4 / 9, 4 / 9, 1 / 9], abs=0.03)


def test_lines_end_where_the_model_ends_them(snippet):
    assert snippet.as_lines(["<eos>", "a", "b", "<eos>", "<eos>", "c"]) == "\na b\n\nc"


# Checkpoints


@pytest.mark.parametrize("steps", [0, 7, 60])
def test_a_run_that_stopped_anywhere_ends_as_one_that_did_not(snippet, tmp_path, steps):
    corpus, options = small_corpus(snippet), small_options(snippet, dropout=0.3)
    whole = snippet.Training(corpus, options)
    whole.run()
    assert whole.steps_per_epoch < 60 < whole.done == whole.steps
    cut = snippet.Training(corpus, options)
    cut.run(stopped=lambda: cut.done >= steps)
    assert cut.done == steps
    snippet.save_checkpoint(cut, tmp_path)
    torch.manual_seed(99)  # what another process would have drawn
    stored = snippet.load_checkpoint(tmp_path)
    resumed = snippet.resume(corpus, *stored, options, snippet.Processes())
    resumed.run()
    assert resumed.history == whole.history
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], weight), name


def test_the_progress_of_a_resumed_run_begins_where_it_stopped(snippet, monkeypatch):
    bars, tqdm = [], snippet.tqdm

    def shown(**how):
        bars.append(tqdm(**how | {"disable": False, "file": io.StringIO()}))
        return bars[-1]

    monkeypatch.setitem(snippet.Training.run.__globals__, "tqdm", shown)
    training = snippet.Training(small_corpus(snippet), small_options(snippet))
    training.run(stopped=lambda: training.done >= 7)
    training.run()
    words = 4 * 8  # rows and steps of a block
    assert [bar.initial for bar in bars] == [0, 7 * words]
    assert [bar.n for bar in bars] == [7 * words, training.steps * words]
    assert {bar.total for bar in bars} == {training.steps * words}


@pytest.mark.parametrize("at", ["tensors", "record", "between"])
def test_a_checkpoint_is_whole_wherever_its_writing_fails(snippet, tmp_path, monkeypatch, at):
    training = snippet.Training(small_corpus(snippet), small_options(snippet))
    training.step()
    snippet.save_checkpoint(training, tmp_path)
    before = files(tmp_path)
    training.step()
    calls = snippet.save_checkpoint.__globals__
    if at == "tensors":

        def half(tensors, path):
            path.write_bytes(b"half of it")
            raise OSError("No space left on device")

        monkeypatch.setitem(calls, "save_file", half)
    elif at == "record":
        monkeypatch.setattr(calls["json"], "dumps", lambda _: 1 / 0)
    else:
        replacing = calls["replacing"]

        def first_only(path):
            if path.name == "checkpoint.json":
                raise OSError("interrupted")
            return replacing(path)

        monkeypatch.setitem(calls, "replacing", first_only)
    with pytest.raises((OSError, ZeroDivisionError)):
        snippet.save_checkpoint(training, tmp_path)
    monkeypatch.undo()
    after = files(tmp_path)
    assert before.items() <= after.items()
    assert not [name for name in after if "partial" in name]
    assert snippet.load_checkpoint(tmp_path)[0]["done"] == 1
    snippet.save_checkpoint(training, tmp_path)
    assert sorted(files(tmp_path)) == ["checkpoint.json", "step-2.safetensors"]


# The program


def test_train_score_and_sample(run, text, tmp_path):
    status, out, err = run("--text", text, *SMALL, "--epochs", 2)
    assert status == 0, err
    assert err.startswith("11 different words; unknown: train 0.0%, valid 0.0%, test 0.0%\n")
    passes = r"pass {} of 2: perplexity \d+\.\d\d in training, (\d+\.\d\d) in validation\n"
    found = re.search(passes.format(1) + passes.format(2), err)
    best = min(found.groups(), key=float)
    pattern = rf"best pass [12], perplexity: train \d+\.\d\d, valid {best}, test \d+\.\d\d\n"
    assert re.fullmatch(pattern, out), out
    assert "checkpoint.json" in files(tmp_path / "word_language_model")
    (tmp_path / "new.txt").write_text("The fox saw a\nunicorn")
    status, out, err = run("--score", "new.txt")
    lines = [line.split("\t") for line in out.splitlines()]
    words = ["the", "fox", "saw", "a", "<eos>", "unicorn", "<eos>"]
    assert [line[1] for line in lines] == words
    assert [line[1] for line in lines if line[2:] == ["<unk>"]] == ["a", "unicorn"]
    perplexity = 2 ** (sum(float(line[0]) for line in lines) / 7)
    told = re.fullmatch(r"7 words, 2 of them unknown; perplexity ([\d.]+)\n", err)
    assert float(told[1]) == pytest.approx(perplexity, rel=0.01)
    sample = ("--sample", "--prime", "The dragon", "--length", 30, "--seed", 3)
    first = run(*sample)
    assert first == run(*sample)
    assert first[1].startswith("the dragon")
    assert first[2] == "the model does not know ['dragon']; it reads <unk> instead\n"
    assert first != run(*sample[:-1], 4)


def test_the_treebank_is_counted_and_makes_a_row_of_the_table(run, treebank, tmp_path):
    for model in ("small", "medium", "large"):
        arguments = ("--ptb", treebank, "--model", model, "--checkpoint", f"ptb-{model}", *SMALL)
        status, out, err = run(*arguments, "--epochs", 1)
        assert status == 0, err
        counts = re.findall(r"ptb\.(\w+)\.txt: (\d+) words, not the ([\d,]+) of the treebank", err)
        assert counts == [
            ("train", "840", "929,589"),
            ("valid", "84", "73,760"),
            ("test", "63", "82,430"),
        ]
        # <unk> is a word of the files here.
        assert "11 different words; unknown: train 14.3%, valid 14.3%, test 14.3%\n" in err
        assert re.fullmatch(
            r"best pass 1, perplexity: train [\d.]+, valid [\d.]+, test [\d.]+\n", out
        )
    options = json.loads((tmp_path / "ptb-large" / "checkpoint.json").read_text())["options"]
    assert (options["max_norm"], options["hidden_size"]) == (10, 8)
    (tmp_path / "more.txt").write_text("the cat 's N mr. \n")
    _, out, _ = run("--score", "more.txt", "--checkpoint", "ptb-small")
    assert [line.split("\t")[1] for line in out.splitlines()][2:5] == ["'s", "N", "mr."]


def test_the_right_counts_are_not_remarked_on(snippet, treebank, monkeypatch, capsys):
    counts = {"train": 840, "valid": 84, "test": 63}
    monkeypatch.setitem(snippet.penn_treebank.__globals__, "PARTS", counts)
    assert [len(part) for part in snippet.penn_treebank(treebank)] == [840, 84, 63]
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == [
        "840 words",
        "84 words",
        "63 words",
    ]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_loses_nothing(run, text, tmp_path, sign):
    train = ("--text", text, *SMALL, "--epochs", 30)
    command = [sys.executable, PROGRAM, *map(str, train), "--checkpoint", "cut"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    process.stderr.readline()
    process.stderr.readline()  # the first pass: training has begun
    process.send_signal(sign)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert re.search(r"Stopped after step \d+; the same command goes on from there\.\n$", err)
    stopped = json.loads((tmp_path / "cut" / "checkpoint.json").read_text())["done"]
    assert run(*train, "--checkpoint", "cut")[0] == 0
    assert run(*train, "--checkpoint", "whole")[0] == 0
    one, other = files(tmp_path / "cut"), files(tmp_path / "whole")
    assert list(one) == list(other)
    assert 0 < stopped < json.loads(one["checkpoint.json"])["done"]
    assert one["checkpoint.json"] == other["checkpoint.json"]
    first, second = weights(tmp_path / "cut"), weights(tmp_path / "whole")
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_a_finished_run_says_its_result_again_and_more_epochs_go_on(run, text, tmp_path):
    first = run("--text", text, *SMALL, "--epochs", 1)
    before = files(tmp_path / "word_language_model")
    status, out, _ = run("--text", text)
    assert (status, out) == (0, first[1])
    assert files(tmp_path / "word_language_model") == before
    status, _, err = run("--text", text, "--epochs", 2)
    assert status == 0
    assert err.count("pass ") == err.count("pass 2 of 2: ") == 1


def test_progress_on_a_terminal_shows_speed_and_time_left(text, tmp_path):
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 100))
    command = [sys.executable, PROGRAM, "--text", str(text), *SMALL, "--epochs", "20"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=follower, stdout=subprocess.DEVNULL)
    os.close(follower)
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            shown += os.read(leader, 10_000)
        except OSError:  # the program has ended
            break
    assert process.wait() == 0
    assert re.search(rb"\d+:\d\d<\d+:\d\d, +[\d.]+k?word/s", shown), shown[-500:]


# Several processes


LAUNCHER = Path(sysconfig.get_path("scripts")) / "torchrun"
OF_TWO = ("--standalone", "--nproc-per-node", 2)


def torchrun(*arguments, cwd):
    """Run the program in two processes; return the finished process."""
    command = [LAUNCHER, *OF_TWO, PROGRAM, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_two_processes_train_as_one_does(run, text, tmp_path):
    train = ("--text", text, *SMALL, "--learning-rate", 0.3, "--epochs", 2)
    assert run(*train, "--checkpoint", "one")[0] == 0
    finished = torchrun(*train, "--checkpoint", "two", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("best pass") == 1
    assert finished.stderr.count("pass 1 of 2") == 1
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys()
    assert {tensor.shape for name, tensor in two.items() if "state" in name} == {(1, 4, 8)}
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-4)
    records = [json.loads((tmp_path / n / "checkpoint.json").read_text()) for n in ("one", "two")]
    histories = [torch.tensor(record["history"]) for record in records]
    torch.testing.assert_close(*histories, rtol=1e-4, atol=0)


@pytest.mark.slow
def test_one_process_goes_on_where_two_stopped(run, text, tmp_path):
    train = ("--text", text, *SMALL, "--learning-rate", 0.3)
    finished = torchrun(*train, "--epochs", 1, "--checkpoint", "mixed", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert run(*train, "--epochs", 2, "--checkpoint", "mixed")[0] == 0
    assert run(*train, "--epochs", 2, "--checkpoint", "one")[0] == 0
    mixed, one = weights(tmp_path / "mixed"), weights(tmp_path / "one")
    for name in one:
        torch.testing.assert_close(one[name], mixed[name], rtol=0, atol=1e-4)


@pytest.mark.slow
def test_an_interrupt_of_two_processes_loses_nothing(run, text, tmp_path):
    train = ("--text", text, *SMALL, "--learning-rate", 0.3)
    command = [*map(str, (LAUNCHER, *OF_TWO, PROGRAM, *train)), "--epochs", "500"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    while "pass 1 of 500" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert err.count("; the same command goes on from there.") == 1, err
    record = json.loads((tmp_path / "word_language_model" / "checkpoint.json").read_text())
    passes = len(record["history"])
    assert 1 <= passes < 500
    status, _, err = run(*train, "--epochs", passes + 1)
    assert status == 0, err
    assert re.findall(r"pass \d+ of", err) == [f"pass {passes + 1} of"]
    after = json.loads((tmp_path / "word_language_model" / "checkpoint.json").read_text())
    assert after["history"][:passes] == record["history"]
    assert after["done"] > record["done"]


def test_rows_that_do_not_divide_are_refused(snippet):
    processes = snippet.Processes(rank=1, count=3)
    with pytest.raises(ValueError, match=r"--batch-size 4 does not divide among 3 processes; take"):
        processes.own(torch.zeros(5, 4))
    assert processes.own(torch.arange(6).expand(2, 6)).tolist() == [[2, 3], [2, 3]]


# What will not do


BAD_TEXTS = {
    "empty": (b"", "holds no words, in 0 characters"),
    "blank": (b" \n\n", "holds no words, in 3 characters"),
    "marks": (b"... !!! ---\n", "holds no words, in 12 characters"),
    "latin": ("naïve".encode("latin-1") * 500, r"is not UTF-8 text: byte 2 is 0xef"),
    "tiny": (b"too short\n", r"the valid part has 0 words, too few; take a longer text"),
    "short": (b"too short\n" * 20, r"54 words to train on are too few: 4 rows of 20 words need 81"),
}


@pytest.mark.parametrize("kind", BAD_TEXTS)
def test_a_text_that_will_not_do(run, tmp_path, kind):
    content, message = BAD_TEXTS[kind]
    (tmp_path / "bad.txt").write_bytes(content)
    sizes = ("--hidden-size", 8, "--batch-size", 4, "--sequence-length", 20)
    status, out, err = run("--text", "bad.txt", *sizes)
    assert (status, out) == (1, "")
    assert re.search(rf"^word_language_model\.py: [^\n]*{message}[^\n]*\n$", err, re.M), err
    assert not (tmp_path / "word_language_model").exists()


BAD_CALLS = {
    "no file": (("--text", "nowhere.txt"), r"nowhere.txt cannot be read: No such file"),
    "folder": (("--text", "data"), r"data cannot be read: Is a directory"),
    "no treebank": (("--ptb", "nowhere"), r"ptb\.train\.txt does not exist; --ptb takes a folder"),
    "empty part": (("--ptb", "part"), r"part/ptb\.valid\.txt holds no words, in 0 characters"),
    "both": (("--ptb", "data", "--text", "mine.txt"), "not allowed with argument"),
    "model": (("--model", "huge"), r"invalid choice: 'huge' \(choose from"),
    "number": (("--hidden-size", "wide"), "invalid int value: 'wide'"),
    "bounds": (("--dropout", "1"), "--dropout: 1 is not from 0 to 0.99"),
    "cold": (("--sample", "--temperature", "0"), "--temperature: 0 is not from 0.01 to 100"),
    "option": (("--layers", "2"), "unrecognized arguments: --layers 2"),
    "sizes": (("--text", "mine.txt", "--hidden-size", "16"), "--hidden-size 16: .* trained with 8"),
    "setting": (("--text", "mine.txt", "--model", "large"), "the checkpoint was trained with"),
    "text": (("--text", "other.txt"), "not the one that the checkpoint was trained on"),
    "no checkpoint": (("--sample", "--checkpoint", "none"), "there is no checkpoint in none"),
    "nothing to score": (("--score", "empty.txt"), "empty.txt holds no words"),
}


@pytest.fixture
def trained(run, text, treebank, tmp_path):
    """A folder with a checkpoint, the text that it was trained on, and others."""
    (tmp_path / "other.txt").write_text(TEXT.replace("fox", "bee"))
    (tmp_path / "empty.txt").touch()
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "ptb.train.txt").write_text(" the fox \n")
    (tmp_path / "part" / "ptb.valid.txt").touch()
    assert run("--text", text, *SMALL, "--epochs", 1)[0] == 0
    return tmp_path / "word_language_model"


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_call_that_will_not_do(trained, run, case):
    before = files(trained)
    arguments, message = BAD_CALLS[case]
    if case in ("no file", "folder", "no treebank", "empty part"):
        arguments += ("--checkpoint", "new")
    status, out, err = run(*arguments)
    assert (status, out) == (2 if "usage:" in err else 1, "")
    assert re.search(message, err), err
    assert files(trained) == before


@pytest.mark.parametrize("damage", ["json", "field", "tensors", "gone"])
def test_a_damaged_checkpoint_is_named_and_left_alone(trained, run, damage):
    record, tensors = trained / "checkpoint.json", next(trained.glob("step-*"))
    if damage == "json":
        record.write_text(record.read_text()[:40])
    elif damage == "field":
        record.write_text("{}")
    elif damage == "tensors":
        tensors.write_bytes(tensors.read_bytes()[:-10])
    else:
        tensors.unlink()
    before = files(trained)
    for arguments in (("--text", "mine.txt"), ("--sample",)):
        status, out, err = run(*arguments)
        assert (status, out) == (1, "")
        assert re.search(r"^word_language_model\.py: the checkpoint in \S+ is damaged .*\n$", err)
    assert files(trained) == before
