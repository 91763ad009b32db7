"""Code normalized, judged and labelled, by hand on small code; cells against torch and numpy."""

import ast

import numpy as np
import pytest
import torch


def test_normalizing_drops_comments_and_docstrings_and_keeps_the_program(snippet):
    source = 'class A:\n  """What."""\n  def f(self): # why\n    "Only this."\nx = {1:2}\n'
    text = snippet.normalized(source)
    assert text == "class A:\n\n    def f(self):\n        pass\nx = {1: 2}\n"
    assert ast.dump(ast.parse(snippet.normalized(text))) == ast.dump(ast.parse(text))


def test_modules_are_read_in_order_until_each_text_has_its_size(snippet, tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.py").write_text(f"{name} = 1\n")
    (tmp_path / "_hidden.py").write_text("z = 1\n")
    (tmp_path / "ä.py").write_text("z = 'ä'\n", encoding="utf-8")
    assert snippet.read_modules(tmp_path, 7, 3) == ["a = 1\nb = 1\n", "c = 1\n"]
    with pytest.raises(ValueError, match=r"found 24 characters in .*; needed are 40"):
        snippet.read_modules(tmp_path, 20, 20)


@pytest.mark.parametrize(
    ("line", "whole"),
    [("f(a[1], {2: '('})", True), ("f(a[1)]", False), (")(", False), (r"x = '\'('", True)],
)
def test_brackets_of_a_line(snippet, line, whole):
    assert snippet.balanced(line) == whole


GOOD_LINES = """
x = 1
if x:
else:
elif y:
try:
except E as e:
finally:
match x:
case 1:
@f
def f(self):
class A(B):
for i in x:
with a as b:
"""


@pytest.mark.parametrize("line", GOOD_LINES.strip().splitlines())
def test_a_good_line_parses_with_what_it_lacks(snippet, line):
    assert snippet.complaint(snippet.statement(f"    {line}")) == ""


@pytest.mark.parametrize("line", ["def f(self)", "x = (1", "if x", "y = = 2", "else"])
def test_a_bad_line_does_not(snippet, line):
    assert snippet.complaint(snippet.statement(line))


def test_functions_go_from_the_margin_to_the_margin(snippet):
    text = "x = 1\ndef f():\n    a\n\n    b\ny = 2\ndef g():\n    c"
    assert snippet.functions(text) == ["def f():\n    a\n\n    b", "def g():\n    c"]


def test_the_judge_counts_shares_by_hand(snippet):
    lines = ["def f(x):", "    y = (1", "   z = [2]", "def g("]
    found = snippet.judge(lines, ["def f(): pass", "def g("])
    assert list(found.values()) == [1 / 2, 1 / 2, 2 / 4, 2 / 4, 1 / 2]


def test_labels_say_what_holds_after_each_character(snippet):
    code = 'f(a)\n  "[b"\n'
    labels = snippet.code_labels(code)
    assert labels["brackets"].tolist() == [0, 1, 1, 0, 0] + [0] * 7
    assert labels["strings"].tolist() == [0] * 7 + [1, 1, 1, 0, 0]
    assert labels["indentation"].tolist() == [0] * 5 + [1, 2, 2, 2, 2, 2, 0]


def test_a_label_that_was_the_same_for_long_enough(snippet):
    labels = torch.tensor([0, 0, 1, 1, 1, 1, 0])
    expected = [False, False, False, False, True, True, False]
    assert snippet.unchanged(labels, least=2).tolist() == expected


def test_cell_states_are_those_of_torchs_layer(snippet):
    torch.manual_seed(0)
    model = snippet.CharRNN(7, embedding_size=3, hidden_size=5)
    x = torch.randint(7, (9, 2))
    cells = snippet.cell_states(model, x)
    for t in (1, 4, 9):
        _, (_, c) = model.rnn(model.embedding(x[:t]))
        torch.testing.assert_close(cells[t - 1], c[0])


def test_correlations_agree_with_numpy_and_a_constant_cell_has_none(snippet):
    torch.manual_seed(0)
    cells, labels = torch.randn(50, 3), torch.randint(2, (50,))
    cells[:, 2] = 3.0
    found = snippet.correlations(cells, labels)
    for k in (0, 1):
        assert found[k].item() == pytest.approx(np.corrcoef(cells[:, k], labels)[0, 1], abs=1e-5)
    assert found[2] == 0


def test_the_cell_is_chosen_on_every_other_row_and_judged_on_the_rows_between(snippet):
    torch.manual_seed(0)
    labels = torch.randint(2, (100, 4))
    cells = torch.randn(100, 4, 3)
    cells[:, ::2, 0] = labels[:, ::2].float()  # knows the rows of the choice alone
    cells[:, :, 1] += 2 * labels
    where = torch.arange(100).unsqueeze(1).expand(-1, 4) >= 10
    cells[:10, :, 0] = 99.0  # where nothing counts
    best, r = snippet.search(cells, labels, where)
    assert best == 0
    assert r[0] < 0.3 < 0.5 < r[1]


def test_a_text_that_is_too_short_for_the_steps_is_refused(snippet):
    model = snippet.CharRNN(3, embedding_size=2, hidden_size=4)
    with pytest.raises(ValueError, match="the text has 512 characters; 1 steps read 512"):
        snippet.train(model, torch.zeros(512, dtype=torch.long), steps=1)


def test_samples_begin_with_the_prime_and_follow_the_seed(snippet):
    torch.manual_seed(0)
    model = snippet.CharRNN(3, embedding_size=2, hidden_size=4)
    one, again = (snippet.sample(model, "abc", "ab", 20, batch_size=2) for _ in range(2))
    assert one == again
    assert [len(text) for text in one] == [22, 22]
    assert all(text.startswith("ab") for text in one)
    assert one != snippet.sample(model, "abc", "ab", 20, batch_size=2, seed=1)
