"""Mathematics, typeset by the build: LaTeX in, MathML out, and a font of the characters in use."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import latex2mathml.converter

from readinglist.cache import kept
from readinglist.figures import QUANTITIES

# What pymdownx.arithmatex leaves in a page, in its generic mode.
ARITHMATEX = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\s*\\[(\[](?P<latex>.*?)\\[)\]]\s*</(?P=tag)>',
    re.DOTALL,
)
TEXT_IN_MATH = re.compile(r"<math.*?</math>|<svg class=\"drawing\".*?</svg>", re.DOTALL)
# The font lies inside the ziamath package; importing that would draw formulas, slowly.
FONT = Path(find_spec("ziamath").origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"  # type: ignore[union-attr, arg-type]


def typeset(page_html: str) -> str:
    """Replaces the formulas in a page by MathML.

    Raises:
        ValueError: naming the formula that cannot be typeset.
    """
    return ARITHMATEX.sub(
        lambda m: to_mathml(html.unescape(m["latex"]).strip(), m["tag"] == "div"), page_html
    )


def to_mathml(latex: str, block: bool = False) -> str:
    r"""One formula. `\forget{...}` and the like put a part in the colour of its quantity."""
    coloured = re.sub(rf"\\({'|'.join(QUANTITIES)})(?=\{{)", r"\\textcolor{\1}", latex)
    try:
        mathml = latex2mathml.converter.convert(coloured, display="block" if block else "inline")
    except Exception as error:
        raise ValueError(
            f"the formula '{latex}' cannot be typeset: {error or type(error).__name__}"
        ) from error
    if unknown := re.search(r">(\\[a-zA-Z]+)<", mathml):
        raise ValueError(f"the formula '{latex}' uses {unknown[1]}, which is not known")
    mathml = mathml.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "").replace(
        ' display="inline"', ""
    )
    return re.sub(r'mathcolor="(\w+)"', r'class="q-\1"', html_characters(mathml))


def html_characters(mathml: str) -> str:
    """Numeric references as the characters they stand for, except those that are markup."""
    return re.sub(
        r"&#x([0-9A-F]+);",
        lambda m: m[0] if int(m[1], 16) in (0x22, 0x26, 0x3C, 0x3E) else chr(int(m[1], 16)),
        mathml,
    )


def characters(pages: Iterable[str]) -> str:
    """Every character that formulas and drawings show, and its mathematical italic."""
    text: set[str] = set()
    for page in pages:
        for part in TEXT_IN_MATH.findall(page):
            text.update(html.unescape(re.sub(r"<[^>]+>", "", part)))
    text.update(_italic(char) for char in tuple(text))
    return "".join(sorted(char for char in text if char.strip()))


def _italic(char: str) -> str:
    """What a browser shows for a one-letter <mi>: a letter's italic, or the character itself."""
    if char == "h":
        return "\N{PLANCK CONSTANT}"
    try:
        name = (
            unicodedata.name(char)
            .replace(" LETTER", "")
            .replace("LATIN ", "")
            .replace("GREEK ", "")
        )
        return unicodedata.lookup(f"MATHEMATICAL ITALIC {name}")
    except (KeyError, ValueError):
        return char


def math_font(text: str, cache: Path) -> bytes:
    """STIX Two Math as woff2, cut down to the characters of `text` and their larger forms."""
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    return kept(cache / f"math-{name}.woff2", lambda: _subset(text))


def _subset(text: str) -> bytes:
    from fontTools import subset  # takes a while to import, and most builds find the font kept

    options = subset.Options(
        flavor="woff2", layout_features=["ssty", "kern", "ccmp"], name_IDs=[0, 1, 2, 13]
    )
    font = subset.load_font(str(FONT), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    buffer = BytesIO()
    subset.save_font(font, buffer, options)
    return buffer.getvalue()
