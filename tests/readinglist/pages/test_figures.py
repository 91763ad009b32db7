"""Figures and drawings as part of a page: its colours, its fonts, ids that do not clash."""

from __future__ import annotations

import io
import re

import lxml.etree
import pytest

from readinglist.pages.figures import read_drawing, themed_figure
from readinglist.running.project import make_runner
from readinglist.sources.catalog import Catalog, read_palette


@pytest.fixture(scope="module")
def draw(root, palette, tmp_path_factory):
    """A figure of matplotlib in the project's style: `draw(lambda ax: ...)`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = tmp_path_factory.mktemp("style") / "matplotlibrc"
    style.write_text(make_runner(Catalog(root, palette=palette)).style)

    def make(plot) -> str:
        with mpl.rc_context(fname=str(style)):
            figure = Figure()
            plot(figure.subplots())
            file = io.StringIO()
            figure.savefig(file, format="svg")
        return file.getvalue()

    return make


def wrap(body: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{body}</svg>'


@pytest.fixture
def themed(palette):
    return lambda body: themed_figure(wrap(body), "Text.", "n", palette)


def test_the_palette_has_the_quantities_of_the_light_scheme(tmp_path):
    css = ":root {\n  --forget: #b00020;\n --paper:#ffffff; }\n.dark { --forget: #ff8a80; }"
    (tmp_path / "docs/assets/css").mkdir(parents=True)
    (tmp_path / "docs/assets/css/palette.css").write_text(css)
    assert read_palette(tmp_path) == {"forget": "#b00020"}


def test_the_projects_palette_has_every_quantity(palette):
    gates = ["forget", "input", "candidate", "output", "cell", "hidden"]
    assert list(palette) == [*gates, "label", "blank"]
    assert len(set(palette.values())) == len(palette)


def test_the_colour_cycle_is_the_palette(draw, palette):
    svg = draw(lambda ax: [ax.plot([0, n]) for n in range(8)])
    drawn = re.findall(r"stroke: (#[0-9a-f]{6})", svg)
    assert [colour for colour in drawn if colour in palette.values()][:8] == [*palette.values()]


def test_a_figure_takes_the_colours_of_the_page(draw, palette):
    svg = themed_figure(draw(lambda ax: ax.plot([1, 2])), "Text.", "n", palette)
    assert "stroke: var(--forget)" in svg
    assert "var(--line)" in svg
    assert not re.findall(r"#(?:000000|ffffff|[dD]9[dD]9[dD]9)", svg)
    assert "font-family" not in svg


def test_a_figure_has_a_role_and_a_name(palette):
    svg = themed_figure(wrap(""), 'a "b" <c>', "n", palette)
    root = lxml.etree.fromstring(svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", 'a "b" <c>')
    assert root.get("viewBox") == "0 0 9 9"


@pytest.mark.parametrize(
    "plot",
    [
        lambda ax: ax.plot([1, 2, 3], label="a < b & c"),
        lambda ax: ax.imshow([[0, 1], [1, 0]]),
        lambda ax: ax.imshow([[0, 1], [1, 0]], interpolation="none"),
        lambda ax: ax.bar([1], [2], hatch="//"),
        lambda ax: ax.set_title(r"$\sigma_x = 10^{-3}$ and <b>"),
        lambda ax: (ax.plot([1, 1000]), ax.set_yscale("log")),
    ],
)
def test_a_figure_stays_well_formed_and_refers_to_itself_only(draw, palette, plot):
    svg = themed_figure(draw(plot), "Text.", "thing-draw-0", palette)
    # As a browser takes it, the namespace of xlink needs no declaration.
    declared = svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1)
    root = lxml.etree.fromstring(declared)
    ids = root.xpath("//@id")
    references = re.findall(r'(?:url\(|href=")#([^")]+)', svg)
    assert references, "matplotlib refers to clip paths at least"
    assert set(references) == set(ids)
    assert len(ids) == len(set(ids))
    assert all(identity.startswith("thing-draw-0-") for identity in ids)


def test_places_are_rounded(themed):
    path = themed('<path d="M 1.2345 -6.789\nL 10 0.04" transform="translate(3.14159 2.71828)"/>')
    assert 'd="M 1.2 -6.8 L 10 0"' in path
    assert 'transform="translate(3.1 2.7)"' in path


@pytest.mark.parametrize("factor", ["scale(0.015625)", "matrix(0.7392 0 0 0.7392 10.25 41.472)"])
def test_factors_are_not_rounded(themed, factor):
    assert f'transform="{factor}"' in themed(f'<path transform="{factor}" d="M 0 0"/>')


def test_an_image_keeps_its_data(themed):
    body = (
        '<image xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="data:image/png;base64,A="/>'
    )
    assert 'xlink:href="data:image/png;base64,A="' in themed(body)


def test_black_text_takes_the_ink_of_the_page(themed):
    svg = themed('<text>a</text><text style="fill: #808080">b</text>')
    assert '<text fill="currentColor">a</text>' in svg
    assert "fill: var(--muted)" in svg


def test_a_drawing_loses_its_comments_and_indentation_only(tmp_path):
    path = tmp_path / "a.svg"
    names = ' xmlns="http://www.w3.org/2000/svg"'
    path.write_text(
        f"<!-- how\nit is made -->\n<svg{names}>\n  <title>a  b</title>\n  <g>\n  </g>\n</svg>\n"
    )
    assert read_drawing(path) == '<svg data-search-exclude=""><title>a  b</title><g></g></svg>'
