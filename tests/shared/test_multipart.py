"""Forms with files, however their bytes are cut up on the way."""

from collections.abc import AsyncIterator

import pytest

from shared.errors import Malformed
from shared.multipart import MAX_PARTS, Multipart

TYPE = "multipart/form-data; boundary=xx"
BODY = (
    b'--xx\r\nContent-Disposition: form-data; name="kind"\r\n\r\ninvoice\r\n'
    b'--xx\r\nContent-Disposition: form-data; name="note"\r\n\r\n\xc3\xa9t\xc3\xa9\r\n'
    b'--xx\r\nContent-Type: image/png\r\nCONTENT-DISPOSITION: form-data; name="file"; filename="a%22'
    b'\xc3\xa9.png"\r\n\r\n'
    b"\0\r\n--x\r\nnot the boundary\r\n"
    b"--xx--\r\n"
)


async def cut(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read(body: bytes, size: int = 65_536, content_type: str = TYPE) -> dict[str, tuple[str | None, bytes]]:
    """Name → file name and content."""
    found = {}
    async for part in Multipart(content_type, cut(body, size)).parts():
        found[part.name] = (part.file_name, b"".join([piece async for piece in part.pieces()]))
    return found


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
async def test_the_fields_are_the_same_however_the_body_is_cut(size: int) -> None:
    assert await read(BODY, size) == {
        "kind": (None, b"invoice"),
        "note": (None, "été".encode()),
        "file": ('a"é.png', b"\0\r\n--x\r\nnot the boundary"),
    }


async def test_a_part_that_is_not_read_is_dropped() -> None:
    names = [part.name async for part in Multipart(TYPE, cut(BODY, 5)).parts()]
    assert names == ["kind", "note", "file"]


async def test_no_more_of_the_body_is_read_than_asked_for() -> None:
    body = cut(BODY, 1)
    parts = Multipart(TYPE, body).parts()
    first = await anext(parts)
    assert await first.text(max_bytes=10) == "invoice"
    rest = b"".join([piece async for piece in body])
    assert BODY.endswith(rest)
    assert b"note" in rest


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (BODY[:-8], TYPE),
        (BODY[:30], TYPE),
        (b"", TYPE),
        (b"kind=invoice", TYPE),
        (BODY.replace(b'name="kind"', b"nothing"), TYPE),
        (BODY, "multipart/form-data"),
        (BODY, "application/x-www-form-urlencoded"),
        (BODY, f"{TYPE}{'x' * 300}"),
        (b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * (MAX_PARTS + 1) + b"--xx--\r\n", TYPE),
    ],
)
async def test_what_is_no_such_form_is_malformed(body: bytes, content_type: str) -> None:
    with pytest.raises(Malformed):
        await read(body, content_type=content_type)


async def test_a_field_that_is_too_long_or_no_text_is_malformed() -> None:
    for part, limit in (("note", 2), ("kind", 3)):
        with pytest.raises(Malformed):
            [await p.text(max_bytes=limit) async for p in Multipart(TYPE, cut(BODY, 3)).parts() if p.name == part]
    body = BODY.replace("été".encode(), b"\xff\xfe")
    with pytest.raises(Malformed):
        [await p.text(max_bytes=99) async for p in Multipart(TYPE, cut(body, 3)).parts() if p.name == "note"]
