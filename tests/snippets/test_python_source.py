"""What is measured of code, by hand on small code, and the cells against torch and numpy."""

import numpy as np
import pytest
import torch


def test_the_library_is_read_in_order_without_what_is_not_plain_ascii(snippet, tmp_path):
    (tmp_path / "b.py").write_bytes(b"x = 1\r\n")
    (tmp_path / "a.py").write_text("y = 2\n")
    (tmp_path / "umlaut.py").write_text("z = 'ä'\n", encoding="utf-8")
    (tmp_path / "tab.py").write_text("if x:\n\ty = 3\n")
    (tmp_path / "notes.txt").write_text("no code\n")
    assert snippet.read_library(tmp_path) == {"a.py": "y = 2\n", "b.py": "x = 1\n"}
    with pytest.raises(ValueError, match=r"no module in plain ASCII in .*nowhere"):
        snippet.read_library(tmp_path / "nowhere")


def test_lines_that_should_end_with_a_colon(snippet):
    code = "def f(x):\n    if x\n    class A(\n        iffy\nif y:  \n"
    assert snippet.colon_share(code) == 2 / 3  # the class is still open
    with pytest.raises(ValueError, match="no line begins with def, class or if"):
        snippet.colon_share("x = 1\n")


def test_indents_that_are_multiples_of_four(snippet):
    assert snippet.indent_share("a\n    b\n   c\n\n        d\n") == 3 / 4


def test_pythons_parser_decides(snippet):
    assert snippet.parses("x = '\\d'")
    assert not snippet.parses("x = (")
    assert not snippet.parses("x = '\0'")
    assert snippet.parses_alone("   if x:")
    assert snippet.parses_alone("y = 1")
    assert not snippet.parses_alone("if x")


def test_labels_by_hand(snippet):
    code = 'f(a,\n  "[b")\n'
    indents, depth, in_string = snippet.labels_of(code).tolist()
    assert indents == [0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2]
    assert depth == [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    assert in_string == [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0]


def test_labels_of_a_string_over_two_lines_and_of_nested_brackets(snippet):
    code = "x = [{1: (2,)}]\ny = '''a\nb'''\n"
    indents, depth, in_string = snippet.labels_of(code)
    assert depth[:15].tolist() == [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 3, 3, 2, 1, 0]
    assert depth[15:].abs().sum() == 0
    inside = "".join(character for character, label in zip(code, in_string, strict=True) if label)
    assert inside == "'''a\nb'''"
    assert indents.abs().sum() == 0


def test_cell_states_are_those_of_torchs_layer(snippet):
    torch.manual_seed(0)
    model = snippet.CharRNN(7, embedding_size=3, hidden_size=5)
    inputs = torch.randint(7, (9, 2))
    cells = snippet.cell_states(model, inputs)
    assert cells.shape == (9, 2, 5)
    for t in (1, 4, 9):
        _, (_, c) = model.rnn(model.embedding(inputs[:t]))
        torch.testing.assert_close(cells[t - 1], c[0])


def test_correlations_agree_with_numpy_and_a_constant_cell_has_none(snippet):
    torch.manual_seed(0)
    cells, label = torch.randn(50, 4), torch.randn(50)
    cells[:, 2] = 3.0
    found = snippet.correlations(cells, label)
    for k in (0, 1, 3):
        assert found[k].item() == pytest.approx(np.corrcoef(cells[:, k], label)[0, 1], abs=1e-5)
    assert found[2] == 0
    assert snippet.correlations(cells, torch.ones(50)).tolist() == [0] * 4


def test_the_best_cell_is_chosen_on_one_half_and_judged_on_the_other(snippet):
    torch.manual_seed(0)
    label = torch.randn(400)
    cells = torch.randn(400, 3)
    cells[:, 0] = torch.cat([-label[:200], torch.randn(200)])  # knows the first half alone
    cells[:, 1] = label + 0.5 * torch.randn(400)
    r, cell = snippet.best_cell(cells, label)
    assert cell == 0
    assert r < 0.3
    assert snippet.best_cell(cells[:, 1:], label)[0] > 0.8
