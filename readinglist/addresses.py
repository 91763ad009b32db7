"""Which address of a work is to be linked to."""

from __future__ import annotations

import re

PDF = re.compile(
    r"^https?://(?:www\.|export\.)?arxiv\.org/pdf/(?P<number>[\w.\-/]+?)(?:v\d+)?(?:\.pdf)?$"
)


def pdf_remedy(url: str) -> str:
    """The page with the abstract, for the PDF of a paper on arXiv; empty for any other address."""
    match = PDF.match(url)
    return f"https://arxiv.org/abs/{match['number']}" if match else ""
