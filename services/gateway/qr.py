"""A QR code as a drawing for a page: black on white whatever the page's colours, no style of its own (CSP)."""

from typing import Final

import segno
from markupsafe import Markup

QUIET_ZONE: Final = 4
"""Modules of white around it (ISO/IEC 18004, 5.3.8)."""


def drawing(text: str) -> Markup:
    """An `svg` element that is as large as its page says; about 15 % of it may be damaged (level M)."""
    code = segno.make(text, error="m", micro=False)
    return Markup(code.svg_inline(svgclass=None, lineclass=None, omitsize=True, border=QUIET_ZONE))  # noqa: S704 - drawn by segno
