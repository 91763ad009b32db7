"""The colours of the site, read from its stylesheet, and the style of figures made from them."""

from __future__ import annotations

import re
from pathlib import Path

QUANTITIES = ("forget", "input", "candidate", "output", "cell", "hidden", "label", "blank")


def read_palette(css: str) -> dict[str, str]:
    """The light scheme's colours: variable name to #rrggbb."""
    first_rule = css.split("}")[0]
    return dict(re.findall(r"--([a-z]+):\s*(#[0-9a-f]{6})", first_rule))


def matplotlib_style(theme: Path, palette: dict[str, str]) -> str:
    """The style of every figure: the theme's matplotlibrc, and the palette as its colour cycle."""
    colours = ", ".join(f"'{palette[name][1:]}'" for name in QUANTITIES)
    style = (theme / "matplotlibrc").read_text(encoding="utf-8")
    return f'{style}axes.prop_cycle: cycler("color", [{colours}])\n'


def _palette(root: Path) -> dict[str, str]:
    return read_palette(
        (root / "docs" / "assets" / "css" / "palette.css").read_text(encoding="utf-8")
    )
