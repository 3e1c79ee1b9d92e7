"""A PDF as a person sees it."""

from dataclasses import dataclass

import pypdfium2


@dataclass(frozen=True)
class Paper:
    """One file: its bytes, and the name it came under."""

    content: bytes
    disposition: str = ""

    def pages(self) -> list[str]:
        """The text of each page, spaces of every kind single and plain."""
        document = pypdfium2.PdfDocument(self.content)
        try:
            texts = [page.get_textpage().get_text_bounded() for page in document]
        finally:
            document.close()
        return [" ".join(text.split()) for text in texts]

    def text_in(self, area: tuple[float, float, float, float]) -> str:
        """The text of a part of the first page: left, top, right, bottom in mm from the sheet's corner above left."""
        document = pypdfium2.PdfDocument(self.content)
        try:
            page = document[0]
            height = page.get_height()
            left, top, right, bottom = (_points(mm) for mm in area)
            found = page.get_textpage().get_text_bounded(left, height - bottom, right, height - top)
        finally:
            document.close()
        return " ".join(found.split())

    def frame(self) -> tuple[float, ...]:
        """The largest box drawn on the first page: left, top, right, bottom in mm from the corner above left."""
        document = pypdfium2.PdfDocument(self.content)
        try:
            page = document[0]
            boxes = [one.get_bounds() for one in page.get_objects((pypdfium2.raw.FPDF_PAGEOBJ_PATH,))]
            height = page.get_height()
        finally:
            document.close()
        frames = [box for box in boxes if box[3] - box[1] > _points(50)]
        left, bottom, right, top = max(frames, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
        return tuple(points / _points(1) for points in (left, height - top, right, height - bottom))

    def text(self) -> str:
        """The text of all pages."""
        return " ".join(self.pages())

    def expect_accessible(self) -> None:
        """It says that it is PDF/UA, is tagged, and names its language and its title."""
        for mark in (b"pdfuaid:part", b"/Lang(fr-FR)", b"/StructTreeRoot", b"/MarkInfo", b"/DisplayDocTitle true"):
            assert mark in self.content, mark


def _points(mm: float) -> float:
    """PDF measures in 1/72 inch."""
    return mm * 72 / 25.4


def euros(cents: int) -> str:
    """`-1 234,50 €`, as it is found in a paper's text."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'−' if cents < 0 else ''}{whole:,}".replace(",", " ") + f",{rest:02d} €"
