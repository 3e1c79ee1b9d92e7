"""Composition root: settings in, running app out."""

from fastapi import FastAPI

from services.gateway import api, pages
from services.gateway.assets import Assets
from services.gateway.cookies import Cookies
from services.gateway.csrf import Csrf
from services.gateway.drafts import Drafts
from services.gateway.idle import Idle
from services.gateway.metrics import MetricsPort
from services.gateway.pages.keeping import Keeper
from services.gateway.pages.reimbursement_filters import FilterTokens
from services.gateway.pages.resume import KEPT_FORMS
from services.gateway.pages.web import Web
from services.gateway.passphrases import Passphrases
from services.gateway.proxy import Proxy
from services.gateway.rate_limits import RateLimits
from services.gateway.security import FormLimit, SecurityHeaders
from services.gateway.session import Sessions
from services.gateway.settings import GatewaySettings
from services.gateway.stream import Streams
from services.gateway.upstream import Upstreams
from shared.app import create_app, serve
from shared.sealing import Keyring
from shared.settings import load

SERVICE = "gateway"


def main() -> None:
    """Run the gateway until it is told to stop."""
    settings = load(GatewaySettings, SERVICE)
    serve(build(settings), settings, to_strangers=True)


def build(settings: GatewaySettings) -> FastAPI:
    """The app with every part wired, nothing started."""
    upstreams = Upstreams(settings)
    keyring = Keyring.from_setting(settings.cookie_keys.get_secret_value())
    cookies = Cookies(secure=settings.secure)
    rate_limits = RateLimits(settings.rate_limit_percent)
    idle = Idle(settings.session_idle_seconds)
    sessions = Sessions(upstreams, rate_limits, cookies, keyring, idle=idle, trusted_proxies=settings.trusted_proxies)
    assets = Assets(settings)
    app = create_app(
        SERVICE,
        parts=[upstreams, MetricsPort(settings.http_host, settings.metrics_port)],
        routers=[
            api.router,
            Proxy(upstreams, rate_limits, settings.trusted_proxies).router(),
            api.unknown_router(),
            assets.router(),
            *pages.routers(components_page=settings.components_page),  # the last of them answers what nobody else did
        ],
        max_body_bytes=None,  # the route table has a limit for each path, FormLimit one for the pages
        metrics_here=False,
    )
    csrf = Csrf(cookies, keyring, settings.portal_url)
    filters = FilterTokens(keyring)
    app.state.web = Web(settings, assets, sessions, csrf, cookies, passphrases=Passphrases.read(), filters=filters)
    app.state.keeper = Keeper(app.state.web, Drafts(keyring, settings.form_max_bytes), KEPT_FORMS)
    app.state.streams = Streams(upstreams, settings.stream_max_open)
    app.add_middleware(FormLimit, max_bytes=settings.form_max_bytes, own_limits=pages.WITH_FILES)
    app.add_middleware(SecurityHeaders, secure=settings.secure)
    return app
