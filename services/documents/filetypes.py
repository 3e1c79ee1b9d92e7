"""What a file is, by its content alone: never by its name, never by what its sender says of it."""

from typing import Final

HEAD_BYTES: Final = 512
"""That many bytes of the beginning decide (fewer if the file is smaller)."""
TAIL_BYTES: Final = 65_536

PDF, JPEG, PNG, WEBP, HEIC = "application/pdf", "image/jpeg", "image/png", "image/webp", "image/heic"
EXTENSIONS: Final = {PDF: "pdf", JPEG: "jpg", PNG: "png", WEBP: "webp", HEIC: "heic"}
UNKNOWN: Final = "application/octet-stream"

# ISO/IEC 23008-12, B.4: brands of files with HEVC-coded pictures, as telephones write them.
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_SMALLEST_BYTES: Final = 64


def media_type(head: bytes) -> str | None:
    """The media type of a file that begins with `head`; None if it is none that we take."""
    if head.lstrip(b"\xef\xbb\xbf\0\t\n\f\r ").startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    return HEIC if _is_heic(head) else None


def _is_heic(head: bytes) -> bool:
    """A file type box (ISO/IEC 14496-12, 4.3) that names a HEIC brand, as its own or as a compatible one."""
    if head[4:8] != b"ftyp":
        return False
    box = head[8 : min(int.from_bytes(head[:4], "big"), HEAD_BYTES)]
    brands = {box[:4], *(box[start : start + 4] for start in range(8, len(box), 4))}
    return bool(brands & _HEIC_BRANDS)


def is_readable(kind: str, size: int, tail: bytes) -> bool:
    """Whether the file has an end, as far as its type has one for sure; `tail` is its last `TAIL_BYTES`."""
    if size < _SMALLEST_BYTES:
        return False
    if kind == PDF:
        return b"%%EOF" in tail or b"startxref" in tail
    return b"IEND" in tail if kind == PNG else True
