"""Static files: style sheet, scripts, pictures, the brand's logo. Public, the same for everybody, kept for a year."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway import brand, compression
from services.gateway.settings import GatewaySettings
from shared.errors import NotFound

FOLDER: Final = Path(__file__).parent / "static"
STYLE: Final = "portal.css"
"""Every style sheet in one file, one request: they are small, and the next page needs no other."""
STYLES: Final = (
    "modern-normalize-3.0.1", "tokens", "portal", "forms", "parts", "home", "overview", "reimbursements", "year",
    "card", "card_full", "card_shares", "documents", "messages", "devices", "two_steps", "session", "print",
)  # fmt: skip
_NOT_SERVED: Final = {".txt", ".css"}


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    media_type: str
    fingerprint: str = field(init=False)
    packed: bytes | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", hashlib.sha256(self.content).hexdigest()[:12])
        packs = self.media_type != "image/png" and len(self.content) >= compression.SMALLEST
        object.__setattr__(self, "packed", compression.once(self.content) if packs else None)


class Assets:
    """All of them, in memory: there are a handful."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._all = dict(_files()) | {STYLE: _Asset(_style(settings).encode(), "text/css; charset=utf-8")}
        self.logo = "mark.svg"
        if settings.brand_logo_file:
            ending, content = brand.logo(settings.brand_logo_file)
            self.logo = f"logo{ending}"
            self._all[self.logo] = _Asset(content, _media_type(self.logo))

    def url(self, name: str) -> str:
        """Address of a static file, with its fingerprint: whoever keeps it never keeps an old one."""
        return f"/static/{name}?v={self._all[name].fingerprint}"

    def router(self) -> APIRouter:
        """`/static/<file>`."""
        router = APIRouter(include_in_schema=False)

        @router.get("/static/{name}")
        async def asset(request: Request, name: str, v: str = "") -> Response:
            found = self._all.get(name)
            if found is None:
                raise NotFound
            return _answer(found, known=v == found.fingerprint, packed=compression.accepted(request))

        return router


def _answer(asset: _Asset, *, known: bool, packed: bool) -> Response:
    headers = {"cache-control": "public, max-age=31536000, immutable" if known else "no-cache"}
    if asset.packed is None:
        return Response(asset.content, media_type=asset.media_type, headers=headers)
    headers["vary"] = "accept-encoding"
    if packed:
        return Response(asset.packed, media_type=asset.media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def _files() -> Mapping[str, _Asset]:
    served = [path for path in FOLDER.iterdir() if path.is_file() and path.suffix not in _NOT_SERVED]
    return {path.name: _Asset(path.read_bytes(), _media_type(path.name)) for path in served}


def _style(settings: GatewaySettings) -> str:
    sheets = [(FOLDER / "styles" / f"{name}.css").read_text() for name in STYLES]
    return "\n".join([*sheets, *([settings.palette.style()] if settings.palette else [])])


def _media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
