"""Static files: style sheet, scripts, mark. Public, the same for everybody, kept by browsers for a year."""

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from shared.errors import NotFound

FOLDER: Final = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    media_type: str
    fingerprint: str


def url(name: str) -> str:
    """Address of a static file, with its fingerprint: whoever keeps it never keeps an old one."""
    return f"/static/{name}?v={_assets()[name].fingerprint}"


def assets_router() -> APIRouter:
    """`/static/<file>`, from memory: there are a handful of them."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{name}")
    async def asset(name: str, v: str = "") -> Response:
        found = _assets().get(name)
        if found is None:
            raise NotFound
        kept = "public, max-age=31536000, immutable" if v == found.fingerprint else "no-cache"
        return Response(found.content, media_type=found.media_type, headers={"cache-control": kept})

    return router


@cache
def _assets() -> dict[str, _Asset]:
    return {path.name: _asset(path) for path in FOLDER.iterdir() if path.is_file()}


def _asset(path: Path) -> _Asset:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _Asset(content, media_type, hashlib.sha256(content).hexdigest()[:12])
