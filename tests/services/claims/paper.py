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

    def text(self) -> str:
        """The text of all pages."""
        return " ".join(self.pages())

    def expect_accessible(self) -> None:
        """It says that it is PDF/UA, is tagged, and names its language and its title."""
        for mark in (b"pdfuaid:part", b"/Lang(fr-FR)", b"/StructTreeRoot", b"/MarkInfo", b"/DisplayDocTitle true"):
            assert mark in self.content, mark


def euros(cents: int) -> str:
    """`-1 234,50 €`, as it is found in a paper's text."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'−' if cents < 0 else ''}{whole:,}".replace(",", " ") + f",{rest:02d} €"
