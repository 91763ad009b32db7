"""Cell states against `nn.LSTM`, correlations against numpy, the HTML against a parser."""

from html.parser import HTMLParser

import numpy as np
import pytest
import torch

V, H = 7, 5


class Reader(HTMLParser):
    """Collects what a reader of the HTML meets: the text inside <pre>, each part with its style."""

    def __init__(self, html):
        super().__init__()
        self.open, self.parts, self.legend = [], [], ""
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.open.append((tag, dict(attributes).get("style", "")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        tags = [tag for tag, _ in self.open]
        if "pre" in tags:
            self.parts.append((data, self.open[-1][1] if tags[-1] == "span" else ""))
        else:
            self.legend += data


@pytest.fixture
def model(snippet):
    torch.manual_seed(0)
    return snippet.CharRNN(V, embedding_size=3, hidden_size=H).requires_grad_(False)


def random_indices(*shape, seed=1):
    return torch.randint(V, shape, generator=torch.Generator().manual_seed(seed))


def test_the_model_is_its_three_layers(snippet, model):
    x = random_indices(6, 2)
    state = (torch.randn(1, 2, H), torch.randn(1, 2, H))
    scores, (h, c) = model(x, state)
    hidden, (expected_h, expected_c) = model.rnn(model.embedding(x), state)
    torch.testing.assert_close(scores, model.decoder(hidden))
    assert torch.equal(h, expected_h)
    assert torch.equal(c, expected_c)
    assert torch.equal(model.rnn.bias_ih_l0[H : 2 * H], torch.ones(H))


def test_cell_states_are_those_of_the_lstm_at_every_step(snippet, model):
    x = random_indices(9, 4)
    states = snippet.cell_states(model, x)
    assert states.shape == (9, 4, H)
    state = None
    for t in range(9):
        _, state = model(x[t : t + 1], state)
        torch.testing.assert_close(states[t], state[1][0])
    torch.testing.assert_close(states[-1], model(x)[1][1][0])  # all steps in one call


def test_the_first_losses_are_those_of_the_untrained_model_and_the_state_is_carried(snippet, model):
    indices = random_indices(40)
    rows = indices.view(2, 20).T
    scores, _ = model(rows[:-1])  # one pass: the state goes on over the border of the pieces
    each = torch.nn.functional.cross_entropy(
        scores.flatten(0, 1), rows[1:].flatten(), reduction="none"
    ).view(19, 2)
    model.requires_grad_(True)
    losses = snippet.train(model, indices, steps=2, batch_size=2, sequence_length=4, peak=0)
    assert losses == pytest.approx([each[:4].mean().item(), each[4:8].mean().item()], rel=1e-5)


def test_training_learns_a_cycle(snippet):
    torch.manual_seed(0)
    model = snippet.CharRNN(V, embedding_size=8, hidden_size=16)
    cycle = torch.tensor([0, 1, 2, 1, 3, 4, 5, 6]).repeat(200)  # after a 1, what came before counts
    losses = snippet.train(model, cycle, steps=99, batch_size=4, sequence_length=4, peak=0.03)
    assert losses[-1] < 0.25 < 1.5 < losses[0], losses


@pytest.mark.parametrize("length", [0, 24])
def test_a_text_too_short_for_the_steps_is_refused(snippet, model, length):
    indices = random_indices(length)
    with pytest.raises(ValueError, match=f"has {length} characters; 3 steps read 24"):
        snippet.train(model, indices, steps=3, batch_size=2, sequence_length=4)


def test_a_text_just_long_enough_is_read_to_its_end(snippet, model):
    model.requires_grad_(True)
    indices = random_indices(26)
    assert len(snippet.train(model, indices, 3, batch_size=2, sequence_length=4)) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n", [0]),
        ("ab\n\nc d\n", [1, 2, 0, 0, 1, 2, 3, 0]),
        ("\nx", [0, 1]),
    ],
)
def test_positions_in_the_line(snippet, text, expected):
    assert snippet.line_positions(text) == expected


@pytest.mark.parametrize("shape", [(50,), (10, 5)])
def test_correlations_are_numpys(snippet, shape):
    torch.manual_seed(0)
    cells, labels = torch.randn(*shape, 4) + 3, torch.randint(60, shape)
    cells[..., 1] = 2 - 3 * labels
    expected = [np.corrcoef(cells[..., k].flatten(), labels.flatten())[0, 1] for k in range(4)]
    np.testing.assert_allclose(snippet.correlations(cells, labels), expected, atol=1e-6)
    assert expected[1] == pytest.approx(-1)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e-30])
def test_a_constant_cell_has_no_correlation(snippet, value):
    cells = torch.stack([torch.full((7,), value), torch.arange(7.0)], dim=1)
    r = snippet.correlations(cells, torch.arange(7))
    np.testing.assert_allclose(r, [0, 1], atol=1e-12)
    assert snippet.correlations(cells, torch.full((7,), 3)).tolist() == [0, 0]


def test_the_cell_is_chosen_on_the_first_half_and_reported_on_the_second(snippet):
    torch.manual_seed(0)
    labels = torch.randint(9, (100, 4))
    cells = torch.randn(100, 4, 3)
    cells[:, :2, 2] = -labels[:, :2].float()  # fits where it is chosen
    cells[:, 2:, 0] = labels[:, 2:].float()  # fits where it is reported
    best, r = snippet.search(cells, labels)
    assert best == 2
    np.testing.assert_allclose(r, snippet.correlations(cells[:, 2:], labels[:, 2:]).abs())
    assert r[2] < 0.3 < r[0]


def test_levels_at_the_bounds(snippet):
    reference = torch.arange(101.0).double()  # the fifths begin at 0, 20, 40, 60 and 80
    values = torch.tensor([-1e9, 0, 19.99, 20, 39.99, 40, 60, 79.99, 80, 100, 1e9]).double()
    assert snippet.levels(values, reference).tolist() == [0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 4]
    counts = torch.bincount(snippet.levels(reference, reference.view(1, -1)))
    assert counts.tolist() == [20, 20, 20, 20, 21]
    assert snippet.levels(values.float().view(-1, 1), reference.float()).shape == (11, 1)


def test_the_html_keeps_the_text_and_groups_neighbours_of_a_level(snippet):
    text = 'a<b> & "c"\n</pre>\''
    levels = [0, 0, 3, 3, 3, 1, 1, 1, 1, 1, 4, 4, 4, 4, 2, 2, 2, 0]
    shown = snippet.Underlined(text, torch.tensor(levels), "low & <high>:")
    html = shown._repr_html_()
    reader = Reader(html)
    assert "".join(part for part, _ in reader.parts) == text
    assert reader.legend == "low & <high>: 0 1 2 3 4"
    assert [len(part) for part, _ in reader.parts] == [2, 3, 5, 4, 3, 1]
    lines = [style.rpartition("border-bottom:")[2].split("px")[0] for _, style in reader.parts]
    assert lines == ["", "5", "1", "7", "3", ""]
    assert repr(shown) == text


def test_the_html_scrolls_inside_its_box_and_has_no_colour_of_its_own(snippet):
    html = snippet.Underlined("ab", [1, 4], "")._repr_html_()
    assert 'tabindex="0" style="overflow-x:auto"' in html
    assert "var(--cell," in html
    assert "transparent" in html
    tints = [int(part.split("%")[0].split()[-1]) for part in html.split("color-mix")[1:]]
    assert tints == sorted(tints)
    assert max(tints) <= 35  # so that the letters keep their contrast


def test_an_empty_text_is_shown_as_nothing(snippet):
    assert Reader(snippet.Underlined("", [], "")._repr_html_()).parts == []


def test_levels_that_do_not_fit_are_refused(snippet):
    with pytest.raises(ValueError, match="2 characters, but 1 levels"):
        snippet.Underlined("ab", [0], "")
    with pytest.raises(ValueError, match=r"found the levels \[-1, 5\]; a level is 0, 1, 2, 3 or 4"):
        snippet.Underlined("abc", [5, 0, -1], "")
