# /// script
# requires-python = ">=3.11"
# dependencies = ["torch>=2.6"]
#
# [tool.recurrent]
# concept = "character models"
# ///

# %% [markdown]
# # Learning to spell hello
#
# The four-letter example of "Character-Level Language Models" in Andrej Karpathy's
# "The Unreasonable Effectiveness of Recurrent Neural Networks". The input is `hell`, the target
# `ello`.

# %% imports
import math

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
# Axis letters: T time, V vocabulary, H hidden (hidden_size).

LETTERS = "helo"

# %% [markdown]
# ## One letter, one loss
#
# A letter goes in as a vector with a single 1. Scores come out, one for each letter.


# %% one_hot
def one_hot(text):
    """Return the text as one row of zeros and a 1 per letter, (T, V).

    Raises ValueError for a letter that is not among LETTERS.
    Source: Karpathy, "Character-Level Language Models".
    """
    if unknown := sorted(set(text) - set(LETTERS)):
        raise ValueError(f"found {', '.join(map(repr, unknown))}; the letters are {list(LETTERS)}")
    indices = torch.tensor([LETTERS.index(letter) for letter in text], dtype=torch.long)
    return F.one_hot(indices, len(LETTERS)).float()


# %% cross_entropy
def cross_entropy(scores, targets):
    """Return the loss in nats of each step: minus the log of the target's probability, (T,).

    scores (T, V), any real numbers; targets (T, V) one-hot.
    Source: Karpathy, "Character-Level Language Models": softmax at every step, cross-entropy.
    """
    return -(targets * scores.log_softmax(dim=1)).sum(dim=1)


# %% [markdown]
# In the post's figure the first letter, h, gives the scores below. The next letter should be e.
# Look at the probability of e, and at the sign of each gradient.

# %% scores_of_the_post tags=["demo"]
scores = torch.tensor([[1.0, 2.2, -3.0, 4.1]], requires_grad=True)
target = one_hot("e")
loss = cross_entropy(scores, target)
loss.sum().backward()
probabilities = scores.softmax(dim=1).detach()[0]

print("letter   score   probability   gradient")
for letter, score, p, slope in zip(
    LETTERS, scores[0].tolist(), probabilities.tolist(), scores.grad[0].tolist(), strict=True
):
    print(f"   {letter}    {score:6.1f}   {p:11.4f}   {slope:8.4f}")

loss_of_the_post = loss.item()
probability_of_e = probabilities[1].item()
probability_of_o = probabilities[3].item()
assert abs(loss_of_the_post - 2.079) < 5e-4, loss_of_the_post
assert abs(probabilities.sum().item() - 1) < 1e-6, probabilities
assert torch.allclose(scores.grad[0], probabilities - target[0]), scores.grad

# %% [markdown]
# The gradient is the probabilities with 1 taken from the target: negative for e, positive for the
# others. One step against it raises the score of e and lowers the rest.

# %% one_step tags=["demo"]
stepped = (scores - scores.grad).detach()
score_of_e_after = stepped[0, 1].item()
probability_of_e_after = stepped.softmax(dim=1)[0, 1].item()
print(f"score of e        2.2 -> {score_of_e_after:.2f}")
print(f"probability of e  {probability_of_e:.3f} -> {probability_of_e_after:.3f}")
assert score_of_e_after > 2.2, score_of_e_after
assert probability_of_e_after > probability_of_e, probability_of_e_after

# %% [markdown]
# ## The two l's
#
# After the first l comes another l, after the second comes o. The input is the same both times.
# A network that sees the current letter alone must give one answer for both.


# %% networks
class Recurrent(nn.Module):
    """A letter model with a state: `nn.RNN` and a linear layer.

    Takes one-hot letters (T, V) and returns the scores of the next letter, (T, V).
    """

    def __init__(self, hidden_size):
        super().__init__()
        self.rnn = nn.RNN(len(LETTERS), hidden_size)
        self.decoder = nn.Linear(hidden_size, len(LETTERS))

    def forward(self, x):
        hidden, _ = self.rnn(x)  # (T, H)
        return self.decoder(hidden)  # (T, V)


def feed_forward(hidden_size):
    """A letter model without a state: the same layers, the loop cut. (T, V) to (T, V)."""
    size = len(LETTERS)
    return nn.Sequential(nn.Linear(size, hidden_size), nn.Tanh(), nn.Linear(hidden_size, size))


# %% train
def train(model, text, steps=500, learning_rate=0.05):
    """Train a letter model to name each next letter of the text; return its mean loss in nats."""
    inputs, targets = one_hot(text[:-1]), one_hot(text[1:])
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = cross_entropy(model(inputs), targets).mean()
        loss.backward()
        optimizer.step()
    return loss.item()


# %% [markdown]
# Three hidden units each, as in the post's figure. Compare the rows of the first l and the second.

# %% two_ls tags=["demo"]
torch.manual_seed(0)
models = {"recurrent": Recurrent(3), "feed-forward": feed_forward(3)}
losses = {name: train(model, "hello") for name, model in models.items()}
predicted = {
    name: model(one_hot("hell")).softmax(dim=1).detach() for name, model in models.items()
}  # each (T, V)

for name, rows in predicted.items():
    print(f"{name}, mean loss {losses[name]:.3f} nats")
    print("  input      p(h)    p(e)    p(l)    p(o)")
    for letter, row in zip(("h", "e", "1st l", "2nd l"), rows.tolist(), strict=True):
        print(f"  {letter:5s}" + "".join(f"{p:8.3f}" for p in row))

# %% [markdown]
# The recurrent network's state tells the two apart. The feed-forward network does the best that
# one answer allows: it splits the l evenly between l and o. That costs ln 2 on two letters of four,
# and no training removes it.

# %% what_it_costs tags=["demo"]
at_l, at_o = LETTERS.index("l"), LETTERS.index("o")
recurrent_first_l = predicted["recurrent"][2, at_l].item()
recurrent_second_l = predicted["recurrent"][3, at_o].item()
feed_forward_l = predicted["feed-forward"][2, at_l].item()
recurrent_loss, feed_forward_loss = losses["recurrent"], losses["feed-forward"]
least_loss_without_state = 2 * math.log(2) / 4
print(f"least mean loss without a state: 2 ln 2 / 4 = {least_loss_without_state:.3f} nats")

assert min(recurrent_first_l, recurrent_second_l) > 0.95, (recurrent_first_l, recurrent_second_l)
assert torch.equal(predicted["feed-forward"][2], predicted["feed-forward"][3])
assert abs(feed_forward_l - 0.5) < 0.02, feed_forward_l
excess = feed_forward_loss - least_loss_without_state
assert -1e-5 < excess < 0.01, excess
assert recurrent_loss < 0.02 < least_loss_without_state, losses
