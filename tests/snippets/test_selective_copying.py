"""The task against its definition, and the networks by what they may see."""

import pytest
import torch


def test_letters_stand_in_their_order_among_blanks(snippet):
    torch.manual_seed(0)
    symbols, letters = snippet.draw(200)
    assert symbols.shape == (200, snippet.U + snippet.BLANKS + snippet.U)
    assert (symbols[:, -snippet.U :] == snippet.WRITE).all()
    text = symbols[:, : -snippet.U]
    for row, wanted in zip(text, letters, strict=True):
        assert row[row != snippet.BLANK].tolist() == wanted.tolist()
    assert set(letters.unique().tolist()) == set(range(1, snippet.V + 1))
    # Every place is as likely.
    share = (text != snippet.BLANK).float().mean(dim=0)
    assert (share - snippet.U / (snippet.U + snippet.BLANKS)).abs().max() < 0.12


@pytest.mark.parametrize("num_layers", [0, 1, 2])
def test_a_copier_answers_after_the_last_blank(snippet, num_layers):
    torch.manual_seed(0)
    model = snippet.Copier(num_layers, 6)
    symbols, _ = snippet.draw(3)
    logits = model(symbols)
    assert logits.shape == (3, snippet.U, snippet.V)
    assert len(model.layers) == num_layers
    assert (model.lstm is not None) == (num_layers == 0)


def test_one_layer_gives_a_letter_the_same_candidate_wherever_it_stands(snippet):
    """Why it cannot copy: its gate and candidate know the symbol, and nothing before it."""
    torch.manual_seed(0)
    layer = snippet.MinGRU(4, 5)
    x = torch.randn(1, 6, 4)
    x[:, 4] = x[:, 1]
    z, candidate = layer.gate(x), layer.candidate(x)
    torch.testing.assert_close(z[:, 4], z[:, 1])
    torch.testing.assert_close(candidate[:, 4], candidate[:, 1])


def test_accuracy_counts_letters(snippet):
    def perfect(symbols):
        found = symbols[(symbols != snippet.BLANK) & (symbols != snippet.WRITE)]
        letters = found.view(len(symbols), snippet.U) - 1
        return torch.nn.functional.one_hot(letters, snippet.V).float()

    assert snippet.accuracy(perfect, B=50) == 1.0
    assert snippet.accuracy(lambda symbols: -perfect(symbols), B=50) == 0.0


def test_training_starts_from_its_seed(snippet):
    one, same, other = (snippet.train(1, seed, steps=2) for seed in (0, 0, 1))
    assert torch.equal(one.output.weight, same.output.weight)
    assert not torch.equal(one.output.weight, other.output.weight)
