"""The button that copies a block of code, in the page from the start.

Material would add it to each block by a script, and lay out the page anew for each of them.
"""

import re
from itertools import count

BLOCK = re.compile(r"<pre><span></span><code")
# The classes and attributes by which Material draws the button, and copies when it is pressed.
BUTTON = (
    '<pre><span class="md-code__nav"><button type="button" class="md-code__button"'
    ' data-md-type="copy" data-clipboard-target="#{0}" title="Copy to clipboard">'
    '</button></span><code id="{0}"'
)


def add_copy_buttons(html: str, name: str = "code") -> str:
    """Part of a page with a copy button in each block of code, whose ids begin with `name`."""
    numbers = count(1)
    return BLOCK.sub(lambda _: BUTTON.format(f"{name}-{next(numbers)}"), html)
