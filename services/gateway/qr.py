"""QR codes as SVG in the page itself: no script, no style, no picture from anywhere."""

import segno
from markupsafe import Markup


def qr_code(text: str) -> Markup:
    """`text` as a QR code (ISO/IEC 18004, level M): dark on light whatever the page's colours, as telephones expect."""
    drawn = segno.make_qr(text, error="m").svg_inline(
        dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - squares alone, of segno's own
