"""The colours of the quantities can be read, and told apart by everyone."""

import itertools
import re

import pytest

QUANTITIES = ("forget", "input", "candidate", "output", "cell", "hidden", "label", "blank")
SCHEMES = ("light", "dark")
# What a dichromat sees, for linear RGB: Machado, Oliveira and Fernandes 2009, table 1, severity 1.
VISION = {
    "normal vision": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Linear sRGB to cone responses, and their cube roots to OKLab: Ottosson 2020.
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_OKLAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def _times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def _linear(colour):
    """#rrggbb as linear RGB, each part from 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def _contrast(one, other):
    """The contrast ratio of WCAG 2, from 1 to 21."""
    light, dark = sorted(
        (_times([[0.2126, 0.7152, 0.0722]], _linear(colour))[0] for colour in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


def _oklab(linear):
    cones = _times(TO_CONES, [min(max(c, 0), 1) for c in linear])
    return _times(TO_OKLAB, [c ** (1 / 3) for c in cones])


def _distance(one, other, vision):
    seen = [_oklab(_times(VISION[vision], _linear(colour))) for colour in (one, other)]
    return sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5


@pytest.fixture(params=SCHEMES)
def palette(visit, request):
    """The colours as the browser knows them, by the names of their variables."""
    page = visit("index.html", scheme=request.param)
    names = [*QUANTITIES, "paper", "raised", "ink", "muted", "accent"]
    colours = page.evaluate(
        """names => Object.fromEntries(names.map(name =>
            [name, getComputedStyle(document.body).getPropertyValue(`--${name}`).trim()]))""",
        names,
    )
    wrong = {name: c for name, c in colours.items() if not re.fullmatch(r"#[0-9a-f]{6}", c)}
    assert not wrong, f"palette.css gives each colour as #rrggbb; found {wrong}"
    return colours


def test_the_arithmetic_is_right():
    """Known values, so that a slip above cannot pass for a good palette."""
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert _oklab(_linear("#ffffff")) == pytest.approx([1, 0, 0], abs=1e-4)
    assert _oklab(_linear("#ff0000")) == pytest.approx([0.628, 0.2249, 0.1258], abs=1e-3)
    for vision, matrix in VISION.items():
        assert _times(matrix, [1, 1, 1]) == pytest.approx([1, 1, 1], abs=1e-3), vision
    # Red and green of one lightness: far apart, but not for a deuteranope.
    assert _distance("#b05050", "#5f7f30", "normal vision") > 0.15
    assert _distance("#b05050", "#5f7f30", "deuteranopia") < 0.08


@pytest.mark.parametrize("ground", ["paper", "raised"])
def test_each_colour_can_be_read(palette, ground):
    names = [*QUANTITIES, "ink", "muted", "accent"]
    ratios = {name: _contrast(palette[name], palette[ground]) for name in names}
    weak = {name: round(ratio, 2) for name, ratio in ratios.items() if ratio < 4.5}
    assert not weak, f"contrast below 4.5 on --{ground}: {weak}"


@pytest.mark.parametrize("vision", VISION)
def test_each_two_quantities_are_told_apart(palette, vision):
    close = {
        f"--{a} and --{b}": round(_distance(palette[a], palette[b], vision), 3)
        for a, b in itertools.combinations(QUANTITIES, 2)
        if _distance(palette[a], palette[b], vision) < 0.08
    }
    assert not close, f"nearer than 0.08 in OKLab under {vision}: {close}"
