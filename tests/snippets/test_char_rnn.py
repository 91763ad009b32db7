"""The character model against torch.nn, and the program as a user runs it, on small files."""

import json
import math
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

PROGRAM = Path(__file__).parents[2] / "snippets" / "char_rnn.py"
TEXT = "".join(f"line {n}: the quick brown fox jumps over {n % 7} lazy dogs\n" for n in range(60))
SMALL = ("--hidden-size", "8", "--embedding-size", "4", "--batch-size", "4")
SMALL += ("--sequence-length", "16", "--validate-every", "20")


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


def small_options(snippet, **changes):
    sizes = {"hidden_size": 8, "embedding_size": 4, "batch_size": 4, "sequence_length": 16}
    return snippet.Options(**{**sizes, "validate_every": 20, "epochs": 2, **changes})


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# The model


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_the_model_is_torchs_layers_between_embedding_and_decoder(snippet, kind, num_layers):
    model = snippet.CharRNN(11, small_options(snippet, kind=kind, num_layers=num_layers)).eval()
    plain = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](4, 8, num_layers)
    plain.load_state_dict(model.rnn.state_dict())
    x = torch.randint(11, (5, 3))
    scores, state = model(x)
    hidden, expected = plain(model.embedding.weight[x])
    torch.testing.assert_close(scores, hidden @ model.decoder.weight.T + model.decoder.bias)
    torch.testing.assert_close(state, expected)


def test_forget_gates_start_open_in_every_layer_and_nowhere_else(snippet):
    rnn = snippet.CharRNN(11, small_options(snippet, num_layers=2)).rnn
    for layer in range(2):
        i, f, g, o = getattr(rnn, f"bias_ih_l{layer}").chunk(4)
        assert f.tolist() == [1.0] * 8
        assert max(part.abs().max() for part in (i, g, o)) <= 1 / math.sqrt(8)


def test_dropout_stands_between_layers_and_before_the_decoder(snippet):
    options = small_options(snippet, num_layers=2, dropout=0.5)
    model = snippet.CharRNN(11, options)
    assert (model.rnn.dropout, model.dropout.p) == (0.5, 0.5)
    model.decoder.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    seen = []
    model(torch.randint(11, (20, 4)))
    left_out = seen[0] == 0  # (T, B, H)
    assert 0.2 < left_out.float().mean() < 0.8
    assert torch.equal(left_out, left_out[:1].expand_as(left_out))


# The text


def test_rows_are_contiguous_and_targets_are_one_further(snippet):
    inputs, targets = snippet.rows(torch.arange(11), 3)
    assert inputs.T.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert targets.T.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_encode_gives_places_and_names_what_it_does_not_know(snippet):
    assert snippet.encode("cab", "abc").tolist() == [2, 0, 1]
    with pytest.raises(ValueError, match=r"does not know \['ß', 'é'\]; it knows 'abc'"):
        snippet.encode("caßé", "abc")


def test_a_folder_is_read_in_order_without_hidden_and_binary_files(snippet, tmp_path, capsys):
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "b" / "two.txt").write_bytes("zwölf\r\n".encode())
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone")
    (tmp_path / ".git" / "c").write_text("hidden")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\x00")
    assert snippet.read_text(tmp_path) == "one\nzwölf\n"
    assert re.fullmatch(r"left out: .*picture\.png is not UTF-8 text.*\n", capsys.readouterr().err)


def test_the_last_tenth_is_held_out(snippet):
    text = "ab" * 200 + "c" * 40  # 440 characters, 44 of them held out
    vocabulary, (inputs, targets), (valid, _) = snippet.split(text, small_options(snippet))
    assert vocabulary == "abc"
    assert inputs.shape == targets.shape == (98, 4)  # 396 characters; the last has no target
    assert inputs.T.flatten().tolist() == [0, 1] * 196
    assert valid.T.flatten().tolist() == [0, 1, 0, 1] + [2] * 36


def test_shakespeare_is_text_without_marks(snippet):
    text = snippet.shakespeare()
    assert 700_000 < len(text) < 900_000
    assert "HAMLET:\nTo be, or not to be: that is the question:\n" in text
    assert not set("#_*[]\\") & set(text)


# Training


def test_the_learning_rate_warms_up_and_falls_to_nothing(snippet):
    rates = [snippet.learning_rate(step, 1000, 0.5) for step in range(1001)]
    assert rates[0] == pytest.approx(0.5 / 20)
    assert max(rates) == pytest.approx(0.5, rel=2e-3)
    assert rates[500] == pytest.approx(0.25)
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_mean_loss_is_the_cross_entropy_of_the_whole(snippet):
    options = small_options(snippet, dropout=0.5)
    model = snippet.CharRNN(5, options)
    inputs, targets = torch.randint(5, (23, 4)), torch.randint(5, (23, 4))
    loss = snippet.mean_loss(model, inputs, targets, T=10)
    assert model.training
    scores, _ = model.eval()(inputs)
    assert loss == pytest.approx(F.cross_entropy(scores.flatten(0, 1), targets.flatten()).item())


def test_a_step_is_that_of_torchs_adamw_on_the_clipped_gradient(snippet):
    training = snippet.Training(TEXT, small_options(snippet, dropout=0.0, weight_decay=0.5))
    twin = snippet.CharRNN(len(training.vocabulary), training.options)
    twin.load_state_dict(training.model.state_dict())
    scores, _ = twin(training.inputs[:16])
    F.cross_entropy(scores.flatten(0, 1), training.targets[:16].flatten()).backward()
    nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
    rate = snippet.learning_rate(0, training.steps, training.options.learning_rate)
    torch.optim.AdamW(twin.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.5).step()
    training.step()
    for ours, theirs in zip(training.model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_state_goes_on_from_step_to_step_and_starts_anew_with_the_text(snippet):
    training = snippet.Training(TEXT, small_options(snippet))
    states = []
    forward = training.model.forward
    training.model.forward = lambda x, state: states.append(state) or forward(x, state)
    for _ in range(training.steps_per_epoch + 1):
        training.step()
    assert [state is None for state in states].count(True) == 2
    assert states[0] is None
    assert states[-1] is None
    h, c = states[1]
    assert h.shape == c.shape == (1, 4, 8)
    assert not h.requires_grad


def test_training_learns_and_stops_when_patience_runs_out(snippet):
    training = snippet.Training(TEXT, small_options(snippet, epochs=30, learning_rate=0.05))
    training.run()
    first, best = training.history[0][2], min(valid for *_, valid in training.history)
    assert best < 0.6 * math.log(len(training.vocabulary)) < first
    assert training.done == training.steps or training.history[-6][2] == best
    hopeless = snippet.Training(TEXT, small_options(snippet, epochs=50, patience=2))
    hopeless.validate = lambda: hopeless.history.append([hopeless.done, 1.0, 1.0])
    hopeless.run()
    assert hopeless.done == 43  # a first look at 20, two without a gain at 40 and after the pass
    assert hopeless.finished


def test_the_best_weights_are_kept_not_the_last(snippet):
    training = snippet.Training(TEXT, small_options(snippet))
    training.step()
    training.validate()
    best = {name: weight.clone() for name, weight in training.model.state_dict().items()}
    with torch.no_grad():
        training.model.decoder.bias[0] += 100
    training.losses = [1.0]
    training.validate()
    assert training.history[1][2] > training.history[0][2]
    torch.testing.assert_close(training.best, best)


# Writing


def test_a_sample_is_the_same_for_a_seed_and_follows_the_probabilities(snippet):
    torch.manual_seed(0)
    model = snippet.CharRNN(3, small_options(snippet)).eval()
    with torch.no_grad():
        model.decoder.weight.zero_()
        model.decoder.bias.copy_(torch.tensor([0.7, 0.2, 0.1]).log())
    one, two, other = (snippet.sample(model, "abc", "a", 3000, 0.5, seed) for seed in (1, 1, 2))
    assert one == two != other
    assert len(one) == 3001
    shares = [one.count(letter) / 3000 for letter in "abc"]
    assert shares == pytest.approx([0.49 / 0.54, 0.04 / 0.54, 0.01 / 0.54], abs=0.03)


def test_the_prime_text_is_read_before_writing(snippet):
    torch.manual_seed(0)
    model = snippet.CharRNN(3, small_options(snippet)).eval()
    scores, _ = model(torch.tensor([[0], [1], [2]]))
    expected = "abc"[scores[-1, 0].argmax()]
    assert snippet.sample(model, "abc", "abc", 1, 0.001) == "abc" + expected


def test_weights_go_to_a_plain_lstm_and_come_back(snippet, tmp_path):
    options = small_options(snippet, num_layers=2)
    model, other = snippet.CharRNN(5, options), snippet.CharRNN(5, options)
    for name in ("lstm.pt", "lstm.safetensors"):
        snippet.export_rnn(model, tmp_path / name)
        nn.LSTM(4, 8, 2).load_state_dict(
            torch.load(tmp_path / name) if name.endswith("pt") else load_file(tmp_path / name)
        )
        snippet.import_rnn(other, tmp_path / name)
        torch.testing.assert_close(other.rnn.state_dict(), model.rnn.state_dict())
        nn.init.zeros_(other.rnn.weight_ih_l0)
    torch.save(nn.LSTM(4, 9).state_dict(), tmp_path / "wide.pt")
    with pytest.raises(
        ValueError, match=r"wide.pt does not fit the model, which needs .*\(32, 4\)"
    ):
        snippet.import_rnn(other, tmp_path / "wide.pt")


# Checkpoints


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("steps", [0, 7, 33])
def test_a_run_that_stopped_anywhere_ends_as_one_that_did_not(snippet, tmp_path, kind, steps):
    options = small_options(snippet, kind=kind, dropout=0.3, num_layers=2, epochs=1)
    whole = snippet.Training(TEXT, options)
    whole.run()
    assert whole.done == whole.steps > 40
    cut = snippet.Training(TEXT, options)
    cut.run(stopped=lambda: cut.done >= steps)
    assert cut.done == steps
    snippet.save_checkpoint(cut, tmp_path)
    torch.manual_seed(99)  # what another process would have drawn
    resumed = snippet.resume(TEXT, *snippet.load_checkpoint(tmp_path), options)
    resumed.run()
    assert resumed.history == whole.history
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], weight), name


@pytest.mark.parametrize("at", ["tensors", "record", "between"])
def test_a_checkpoint_is_whole_wherever_its_writing_fails(snippet, tmp_path, monkeypatch, at):
    training = snippet.Training(TEXT, small_options(snippet))
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


def test_train_sample_and_sample_again(run, text, tmp_path):
    status, out, err = run("--text", text, *SMALL, "--epochs", 2)
    assert (status, out) == (0, ""), err
    assert re.search(r"step 20 of 86: training 3\.\d+, validation 3\.\d+ nats a character\n", err)
    # Looks after 20, 40, 60 and 80 steps and after each pass of 43, and the end.
    assert re.findall(r"^step (\d+) of 86", err, flags=re.M) == ["20", "40", "43", "60", "80", "86"]
    assert err.count("\n") == 7, err
    assert sorted(files(tmp_path / "char_rnn")) == ["checkpoint.json", "step-86.safetensors"]
    first = run("--sample", "--prime", "line 7", "--length", 50, "--temperature", 0.8, "--seed", 3)
    assert first == run(
        "--sample", "--prime", "line 7", "--length", 50, "--temperature", 0.8, "--seed", 3
    )
    assert first[0] == 0
    assert first[1].startswith("line 7")
    assert len(first[1]) == len("line 7") + 50 + 1
    assert first != run("--sample", "--prime", "line 7", "--length", 50, "--seed", 4)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_loses_nothing(run, text, tmp_path, sign):
    train = ("--text", text, *SMALL, "--dropout", 0.2, "--epochs", 20, "--patience", 100)
    command = [sys.executable, PROGRAM, *map(str, train), "--checkpoint", "cut"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    process.stderr.readline()  # the first look: training has begun
    process.send_signal(sign)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert re.search(r"Stopped after step \d+; the same command goes on from there\.\n$", err)
    stopped = json.loads((tmp_path / "cut" / "checkpoint.json").read_text())["done"]
    assert 20 <= stopped < 860
    assert run(*train, "--checkpoint", "cut")[0] == 0
    assert run(*train, "--checkpoint", "whole")[0] == 0
    one, other = files(tmp_path / "cut"), files(tmp_path / "whole")
    assert list(one) == list(other) == ["checkpoint.json", "step-860.safetensors"]
    assert one["checkpoint.json"] == other["checkpoint.json"]
    weights = [load_file(tmp_path / name / "step-860.safetensors") for name in ("cut", "whole")]
    for name in weights[0]:
        assert torch.equal(weights[0][name], weights[1][name]), name


def test_a_finished_run_says_so_and_more_epochs_go_on(run, text, tmp_path):
    assert run("--text", text, *SMALL, "--epochs", 1)[0] == 0
    before = files(tmp_path / "char_rnn")
    status, _, err = run("--text", text)
    assert status == 0
    assert re.fullmatch(
        r"Done after 43 steps, best validation loss \d\.\d{4} nats a character\. "
        r"--sample writes; --epochs N goes on\.\n",
        err,
    ), err
    assert files(tmp_path / "char_rnn") == before
    assert run("--text", text, "--epochs", 2)[0] == 0
    assert json.loads((tmp_path / "char_rnn" / "checkpoint.json").read_text())["done"] == 86


def test_progress_on_a_terminal_shows_speed_and_time_left(text, tmp_path):
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 100))
    command = [sys.executable, PROGRAM, "--text", str(text), *SMALL, "--epochs", "20"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=follower)
    os.close(follower)
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            shown += os.read(leader, 10_000)
        except OSError:  # the program has ended
            break
    assert process.wait() == 0
    assert re.search(rb"\d+:\d\d<\d+:\d\d, +[\d.]+k?char/s", shown), shown[-500:]


BAD_TEXTS = {
    "empty": (b"", "holds no text"),
    "blank": (b" \n\n", "holds no text"),
    "binary": (b"abc\x00def" * 500, r"is not UTF-8 text: byte 3 is 0x00"),
    "latin": ("naïve".encode("latin-1") * 500, r"is not UTF-8 text: byte 2 is 0xef"),
    "short": (b"too short\n", r"has 10 characters, too few: .* need 65 to train on"),
}


@pytest.mark.parametrize("kind", BAD_TEXTS)
def test_a_text_that_will_not_do(trained, run, tmp_path, kind):
    before = files(trained)
    content, message = BAD_TEXTS[kind]
    (tmp_path / "bad.txt").write_bytes(content)
    for checkpoint in ("char_rnn", "new"):
        status, out, err = run("--text", "bad.txt", "--checkpoint", checkpoint, *SMALL)
        assert (status, out) == (1, "")
        assert re.fullmatch(rf"char_rnn\.py: [^\n]*{message}[^\n]*\n", err), err
    assert files(trained) == before
    assert not (tmp_path / "new").exists()


BAD_CALLS = {
    "no file": (("--text", "nowhere.txt"), "nowhere.txt does not exist"),
    "kind": (("--kind", "transformer"), r"invalid choice: 'transformer' \(choose from"),
    "number": (("--hidden-size", "wide"), "invalid int value: 'wide'"),
    "bounds": (("--dropout", "1"), "--dropout: 1 is not from 0 to 0.99"),
    "cold": (("--sample", "--temperature", "0"), "--temperature: 0 is not from 0.01 to 100"),
    "option": (("--layers", "2"), "unrecognized arguments: --layers 2"),
    "sizes": (("--text", "mine.txt", "--hidden-size", "16"), "--hidden-size 16: .* trained with 8"),
    "vocabulary": (
        ("--text", "other.txt"),
        r"another vocabulary: it lacks \['X', 'Ä'\], and the text lacks \['\\n', '0'",
    ),
    "text": (("--text", "shuffled.txt"), "not the one that the checkpoint was trained on"),
    "prime": (("--sample", "--prime", "Ω"), r"does not know \['Ω'\]; it knows "),
    "no prime": (("--sample", "--prime", ""), "the prime text is empty"),
    "no checkpoint": (("--sample", "--checkpoint", "none"), "there is no checkpoint in none"),
    "no weights": (("--import-rnn", "no.pt", "--checkpoint", "n", "--text", "mine.txt"), "no.pt"),
}


@pytest.fixture
def trained(run, text, tmp_path):
    """A folder with a checkpoint, the text that it was trained on, and others."""
    (tmp_path / "other.txt").write_text("XÄ the quick brown fox" * 200)
    (tmp_path / "shuffled.txt").write_text(TEXT[100:] + TEXT[:100])
    assert run("--text", text, *SMALL, "--epochs", 1)[0] == 0
    return tmp_path / "char_rnn"


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_call_that_will_not_do(trained, run, case):
    before = files(trained)
    arguments, message = BAD_CALLS[case]
    status, out, err = run(*arguments)
    assert (status, out) == (2 if "usage:" in err else 1, "")
    assert re.search(message, err), err
    assert files(trained) == before


@pytest.mark.parametrize("damage", ["json", "field", "tensors", "gone"])
def test_a_damaged_checkpoint_is_named_and_left_alone(trained, run, damage):
    record, tensors = trained / "checkpoint.json", trained / "step-43.safetensors"
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
        assert re.fullmatch(r"char_rnn\.py: the checkpoint in char_rnn is damaged [^\n]*\n", err)
    assert files(trained) == before
