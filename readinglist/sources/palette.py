"""The colours of quantities, read from the site's stylesheet, and the style of figures."""

import re
from pathlib import Path

PALETTE = Path("docs", "assets", "css", "palette.css")
# Colours of the page itself; every other one in the palette is that of a quantity.
PAGE_COLOURS = {"paper", "raised", "ink", "muted", "line", "accent"}


def read_palette(root: Path) -> dict[str, str]:
    """The quantities of the project at `root`: name to #rrggbb, as the light scheme has it."""
    path = root / PALETTE
    first_rule = path.read_text(encoding="utf-8").split("}")[0] if path.exists() else ""
    colours = re.findall(r"--([a-z]+):\s*(#[0-9a-f]{6})", first_rule)
    return {name: colour for name, colour in colours if name not in PAGE_COLOURS}


def matplotlib_style(root: Path, palette: dict[str, str]) -> str:
    """The style of every figure: the theme's matplotlibrc, and the palette as its colour cycle."""
    style = (root / "theme" / "matplotlibrc").read_text(encoding="utf-8")
    colours = ", ".join(f"'{colour[1:]}'" for colour in palette.values())
    return f'{style}axes.prop_cycle: cycler("color", [{colours}])\n' if colours else style
