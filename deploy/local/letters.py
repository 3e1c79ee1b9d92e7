"""What the printing house reads: letters in the object store, and the temporary password printed in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pypdfium2
import urllib3
from minio import Minio
from minio.error import S3Error

_PASSWORD: Final = re.compile(r"Votre mot de passe provisoire\s*:\s*(\S+)")
_TIMEOUT_S: Final = 10.0


def fetch(environment: Mapping[str, str], bucket: str, name: str) -> bytes | None:
    """The letter's PDF, or None once it is gone: used, expired or posted long ago.

    ``environment`` holds MINIO_ENDPOINT, MINIO_ACCESS_KEY, MINIO_SECRET_KEY (the printing house's) and MINIO_REGION.
    """
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(_TIMEOUT_S))
    store = Minio(
        environment["MINIO_ENDPOINT"],
        environment["MINIO_ACCESS_KEY"],
        environment["MINIO_SECRET_KEY"],
        secure=False,
        region=environment["MINIO_REGION"],
        http_client=pool,
    )
    try:
        with store.get_object(bucket, name) as response:
            return bytes(response.read())
    except S3Error as error:
        if error.code == "NoSuchKey":
            return None
        raise
    finally:
        pool.clear()


def text(pdf: bytes) -> str:
    """All text of the letter, page after page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(str(page.get_textpage().get_text_bounded()) for page in document)
    finally:
        document.close()


def temporary_password(pdf: bytes) -> str:
    """The password printed in the letter. Raises LookupError when it has none."""
    found = _PASSWORD.search(text(pdf))
    if found is None:
        raise LookupError("the letter holds no temporary password")
    return found[1]
