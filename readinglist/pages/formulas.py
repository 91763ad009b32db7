"""Mathematics, typeset by the build: LaTeX in, MathML out, and a font of the characters in use."""

import hashlib
import html
import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Iterable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import latex2mathml.converter
from lxml import etree

from readinglist.memory import remembered

# What pymdownx.arithmatex leaves in a page, in its generic mode.
ARITHMATEX = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\s*\\[(\[](?P<latex>.*?)\\[)\]]\s*</(?P=tag)>',
    re.DOTALL,
)
# A formula holds no tag: nbconvert has escaped its < and >. Code is none.
DOLLARS = re.compile(
    r"<(?P<tag>code|pre)\b.*?</(?P=tag)>|(?<!\\)\$\$(?P<block>[^$<]+)\$\$"
    r"|(?<![\\$])\$(?P<inline>[^\s$<](?:[^$<]*[^\s$<\\])?)\$",
    re.DOTALL,
)
# Formulas, and the symbols of drawings; a drawing's words are set in the font of the page.
TEXT_IN_MATH = re.compile(
    r'<math.*?</math>|<(?P<tag>text|tspan)\b[^>]*class="(?:sym|act)\b[^>]*>.*?</(?P=tag)>',
    re.DOTALL,
)
# Elements that have a fixed number of parts.
PARTS = dict.fromkeys(("mfrac", "msub", "msup", "munder", "mover", "mroot"), 2)
PARTS |= dict.fromkeys(("msubsup", "munderover"), 3)
# The font lies inside the ziamath package; importing that would draw formulas, slowly.
FONT = Path(find_spec("ziamath").origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"  # type: ignore[union-attr, arg-type]


def typeset(page_html: str, quantities: Iterable[str]) -> tuple[str, list[tuple[str, str]]]:
    """The page with its formulas as MathML, and the formulas that cannot be: LaTeX and reason."""
    problems: list[tuple[str, str]] = []
    names = "|".join(quantities)

    def convert(match: re.Match[str]) -> str:
        latex = html.unescape(match["latex"]).strip()
        try:
            return to_mathml(latex, "block" if match["tag"] == "div" else "inline", names)
        except ValueError as error:
            problems.append((latex, str(error)))
            return match[0]

    return ARITHMATEX.sub(convert, page_html), problems


def mark_dollars(prose: str) -> str:
    """The formulas that nbconvert leaves between dollars, marked as arithmatex marks them."""

    def mark(match: re.Match[str]) -> str:
        if match["block"]:
            return rf'<div class="arithmatex">\[{match["block"]}\]</div>'
        if match["inline"]:
            return rf'<span class="arithmatex">\({match["inline"]}\)</span>'
        return match[0]

    return DOLLARS.sub(mark, prose)


@remembered("latex2mathml")
def to_mathml(latex: str, display: str = "inline", quantities: str = "") -> str:
    r"""One formula. `\forget{...}` and the like put a part in the colour of its quantity; the names
    of `quantities` have a bar between them.

    Raises:
        ValueError: naming the formula, and why it cannot be typeset.
    """
    if re.search(r"(?<!\\)%", latex):
        raise ValueError(f"the formula '{latex}' holds a %, which starts a comment; write \\%")
    coloured = re.sub(rf"\\({quantities or '(?!)'})(?=\{{)", r"\\textcolor{\1}", latex)
    try:
        mathml = latex2mathml.converter.convert(coloured, display=display)
        _check(latex, etree.fromstring(mathml))
    except Exception as error:
        # Most of the converter's own exceptions say nothing but their names.
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
        why = str(error) or name.removesuffix(" error")
        if isinstance(error, etree.XMLSyntaxError):
            why = r"'&' outside a table; write \&"
        raise ValueError(f"the formula '{latex}' cannot be typeset: {why}") from error
    if unknown := re.search(r">(\\[a-zA-Z]+)<", mathml):
        raise ValueError(f"the formula '{latex}' uses {unknown[1]}, which is not known")
    mathml = re.sub(r' xmlns="[^"]*"| display="inline"', "", mathml)
    return re.sub(r'mathcolor="(\w+)"', r'class="q-\1"', html_characters(mathml))


def _check(latex: str, mathml: etree._Element) -> None:
    """Finds what the converter lets pass: a brace too many, an argument too few."""
    braces = re.findall(r"(?<!\\)[{}]", latex)
    if braces.count("{") != braces.count("}"):
        raise ValueError(f"it has {braces.count('{')} '{{' and {braces.count('}')} '}}'")
    for element in mathml.iter():
        tag = etree.QName(element).localname
        if len(element) != PARTS.get(tag, len(element)):
            raise ValueError(f"a part is missing (<{tag}> has {len(element)} of {PARTS[tag]})")


def html_characters(mathml: str) -> str:
    """Numeric references as the characters they stand for, except those that are markup."""
    return re.sub(
        r"&#x(?!0*(?:22|26|3C|3E);)[0-9A-F]+;", lambda match: html.unescape(match[0]), mathml
    )


def characters(pages: Iterable[str]) -> str:
    """Every character that formulas and drawings show, and its mathematical italic."""
    parts = (part[0] for page in pages for part in TEXT_IN_MATH.finditer(page))
    text = set(html.unescape(re.sub(r"<[^>]+>", "", "".join(parts))))
    return "".join(sorted(char for char in {*text, *map(_italic, text)} if char.strip()))


def _italic(char: str) -> str:
    """What a browser shows for a one-letter <mi>: a letter's italic, or the character itself."""
    if char == "h":
        return "\N{PLANCK CONSTANT}"
    try:
        name = re.sub(" LETTER|LATIN |GREEK ", "", unicodedata.name(char))
        return unicodedata.lookup(f"MATHEMATICAL ITALIC {name}")
    except (KeyError, ValueError):
        return char


def math_font(text: str) -> bytes:
    """STIX Two Math as woff2, cut down to the characters of `text` and their larger forms."""
    return b64decode(_subset(text, hashlib.sha256(FONT.read_bytes()).hexdigest()))


@remembered("fonttools", "brotli")
def _subset(text: str, font_digest: str) -> str:
    """The font in base64; the digest is that of the whole font."""
    from fontTools import subset  # takes a while to import, and most builds remember the font

    options = subset.Options(
        flavor="woff2", layout_features=["ssty", "kern", "ccmp"], name_IDs=[0, 1, 2, 13]
    )
    font = subset.load_font(str(FONT), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    buffer = BytesIO()
    subset.save_font(font, buffer, options)
    return b64encode(buffer.getvalue()).decode()
