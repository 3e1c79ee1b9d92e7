"""auth's public keys at auth's address, without auth: for tests that need nothing else of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deploy.local.ports import HOST
from services.auth.settings import signing_seeds
from services.auth.tokens import AccessTokens
from tests.stack import RealServers


@contextmanager
def auth_keys(infra: RealServers) -> Iterator[None]:
    """Where the services look for them, as long as the context lasts. auth itself must not run there."""
    environment = infra.stack.environments.of("auth")
    issuer = environment["TOKEN_ISSUER"]
    tokens = AccessTokens(signing_seeds(environment["SIGNING_KEYS"]), issuer=issuer, lifetime_s=300)
    body = json.dumps(tokens.jwks).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/.well-known/jwks.json"
            self.send_response(200 if found else 404)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body if found else b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, infra.stack.ports.of("auth")), Keys) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield
        finally:
            server.shutdown()
            serving.join()
