"""Settings of the gateway."""

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl
from pydantic_settings import NoDecode

from services.gateway import brand
from shared.settings import BrandSettings, Keys, Origin, PasswordSettings, ServiceSettings

Network = IPv4Network | IPv6Network


def _networks(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _readable(colour: str) -> str:
    brand.Palette.of(colour)
    return colour


def _logo(path: Path) -> Path:
    brand.logo(path)
    return path


class LegalLink(BaseModel):
    """A page that the law asks for, on the insurer's own site: imprint, personal data, accessibility."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    url: HttpUrl


class Space(BaseModel):
    """Another space of the portal, on a site of its own: what it is called, where it is, what one does there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    url: HttpUrl
    hint: str = ""


class GatewaySettings(ServiceSettings, BrandSettings, PasswordSettings):
    """Where the services are, how the portal is called from outside, and whose pages they are."""

    metrics_port: int = Field(ge=1, le=65535)
    """`/metrics` is served here and never on `http_port`, which is public."""
    cookie_keys: Keys
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = ()
    """Networks of the TLS terminators in front, whose X-Forwarded-For is believed. Nobody else's is."""

    auth_url: Origin
    claims_url: Origin
    documents_url: Origin
    notifications_url: Origin
    upstream_max_connections: int = Field(default=500, ge=10)
    """To all services together; live streams have connections of their own and cannot starve the rest."""
    stream_max_open: int = Field(default=800, ge=1)
    """Live streams that one process holds; each takes up to one connection per service."""
    upstream_pool_seconds: float = Field(default=2.0, gt=0)
    upstream_connect_seconds: float = Field(default=2.0, gt=0)
    upstream_read_seconds: float = Field(default=40.0, gt=15)
    """Between two pieces of an answer. Live streams carry a comment each 15 s, so it must be longer than that."""
    brand_primary: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$"), AfterValidator(_readable)] | None = None
    """The brand's colour as `#rrggbb`, instead of ours; one that could not be read on white is refused."""
    brand_logo_file: Annotated[Path, AfterValidator(_logo)] | None = None
    """SVG or PNG, square, instead of our mark."""
    legal_links: tuple[LegalLink, ...] = ()
    """Shown at the foot of every page, as JSON: `[{"name": "…", "url": "https://…"}]`."""
    components_page: bool = False
    """For development: `/composants` shows every component of the pages."""
    spaces: tuple[Space, ...] = ()
    """The spaces offered beside the Espace Assuré, as JSON: `[{"name": "…", "url": "https://…", "hint": "…"}]`."""
    upstream_file_seconds: float = Field(default=960.0, gt=15)
    """For a request that carries a file: longer than documents itself allows an upload."""
    upstream_max_files: int = Field(default=100, ge=1)
    """Connections for such requests, apart from the others."""
    rate_limit_percent: int = Field(default=100, ge=0, le=10_000)
    """Scales the limits of the route table; 0 switches them off. Without `trusted_proxies` a proxy counts as one."""
    form_max_bytes: int = Field(default=65_536, ge=1024)
    session_idle_seconds: float = Field(default=900, ge=4, le=1800)
    """Without activity, on a device that is not the member's own. auth itself ends it there 30 minutes after use."""

    @cached_property
    def palette(self) -> brand.Palette | None:
        """The brand's colour in light and dark, if there is one."""
        return brand.Palette.of(self.brand_primary) if self.brand_primary else None

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS: cookies are then `Secure` and carry the `__Host-` prefix."""
        return self.portal_url.startswith("https://")

    @property
    def services(self) -> dict[str, str]:
        """Service name to origin."""
        return {
            "auth": self.auth_url,
            "claims": self.claims_url,
            "documents": self.documents_url,
            "notifications": self.notifications_url,
        }
