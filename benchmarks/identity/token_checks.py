"""What a service pays to know who asks: the check of an access token that it saw before, and of a new one."""

import statistics
import time

from benchmarks.bench import Bench
from services.auth.settings import signing_seeds
from services.auth.tokens import AccessTokens, LocalKeys
from shared.clock import now
from shared.closures import Closures
from shared.ids import new_id
from shared.mongo import Mongo
from shared.tokens import TokenVerifier

LIMIT_US = 50.0
TOKENS, CHECKS = 500, 40


async def measure(bench: Bench) -> tuple[float, float]:
    """Median µs of (a cached token, a new one), as every service checks them."""
    auth = bench.infra.environments.of("auth")
    signer = AccessTokens(signing_seeds(auth["SIGNING_KEYS"]), issuer=auth["TOKEN_ISSUER"], lifetime_s=300)
    closures = Closures(Mongo(auth["MONGO_URL"], auth["MONGO_DATABASE"]))
    verifier = TokenVerifier(LocalKeys(signer.jwks), auth["TOKEN_ISSUER"], closures)
    tokens = [
        signer.issue(member_number=f"{n:08}", session_id=new_id(), insurer="main", required_actions=[], now=now())
        for n in range(TOKENS)
    ]
    new = [await _us(verifier, token) for token in tokens]
    cached = [await _us(verifier, token) for _ in range(CHECKS) for token in tokens]
    return statistics.median(cached), statistics.median(new)


async def _us(verifier: TokenVerifier, token: str) -> float:
    started = time.perf_counter()
    await verifier.verify(token)
    return (time.perf_counter() - started) * 1_000_000
