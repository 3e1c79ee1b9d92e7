"""gzip, for browsers that take it: static files once at the start, pages as they are made."""

import gzip
import secrets
from io import BytesIO
from typing import Final

from starlette.requests import Request

SMALLEST: Final = 1024
"""Bytes below which it is not worth it."""
_PADDING_MAX: Final = 100


def accepted(request: Request) -> bool:
    """Whether the browser says it takes gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def page(content: bytes) -> bytes:
    """A page, compressed, with a random number of bytes in the header's file name field (RFC 1952).

    A page shows what is secret beside what an address may choose; its exact length must not tell how well the two
    compress together (BREACH; the padding is that of « Heal the BREACH », 2022). CSRF tokens are masked besides.
    """
    padding = "a" * secrets.randbelow(_PADDING_MAX)
    out = BytesIO()
    with gzip.GzipFile(padding, "wb", compresslevel=5, fileobj=out, mtime=0) as packed:
        packed.write(content)
    return out.getvalue()


def once(content: bytes) -> bytes:
    """A file that is the same for everybody, as small as can be."""
    return gzip.compress(content, 9, mtime=0)
