"""The server time of the portal's pages: what a member waits for the gateway and the services behind it."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.bench import SEED, Bench, until
from benchmarks.visitor import Visitor
from deploy.local import letters, topics
from deploy.simulator.flow import history
from deploy.simulator.people import enrolled, renewals
from shared.clock import now
from shared.events.base import Event
from shared.events.claims_payment import ClaimPaid, ClaimReversed, ClaimsPaymentEvent
from shared.events.membership import MemberEnrolled
from shared.events.notifications import LetterReady, NotificationsEvent
from shared.events.record import to_message

LIMIT_MS = 50.0
REQUESTS, COLD_REQUESTS = 100, 20
VISITS = 94
"""To doctors and pharmacies, in a year: about 120 claims."""
DOCUMENTS, THREADS = 6, 6
WITHIN_S = 60.0

_ONE = "/remboursements/…"
_NO_PAGE = "/livez"
"""What any answer takes on this machine at this moment: the floor under the pages."""
_OF_STRANGERS = (_NO_PAGE, "/", "/mot-de-passe-perdu")
_OF_MEMBERS = ("/accueil", "/remboursements", _ONE, "/decomptes", "/carte", "/documents", "/messages", "/compte")
_PASSWORD = "quatre mots tranquilles bleus"  # noqa: S105 - of a member who lives as long as the run
_PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class PageFigures:
    """ms of each request from sending it to its last byte; bytes as they are, and by gzip if the server does that."""

    path: str
    times_ms: list[float]
    size: int
    gzip_size: int | None

    @property
    def fastest_ms(self) -> float:
        """What it takes when nothing else runs: the figure that a busy machine spoils least."""
        return min(self.times_ms)

    @property
    def median_ms(self) -> float:
        """Half of the requests took less."""
        return statistics.median(self.times_ms)

    @property
    def p95_ms(self) -> float:
        """One request of twenty took longer."""
        return statistics.quantiles(self.times_ms, n=20)[-1]


async def measure(bench: Bench) -> list[PageFigures]:
    """Every main page, one after the other: those of a stranger, then those of a member with a year behind them."""
    member = bench.members[0]
    claims = history(SEED, [member], visits=VISITS)  # the same in every run
    await _make_known(bench, member, claims)
    async with Visitor(bench.gateway_url()) as stranger, Visitor(bench.gateway_url()) as visitor:
        await _sign_in(bench, member, visitor)
        await _send_things(visitor)
        longest = max((e.data for e in claims if isinstance(e.data, ClaimPaid)), key=lambda claim: len(claim.lines))
        paths = {path: path for path in _OF_MEMBERS} | {_ONE: f"/remboursements/{longest.claim_id}"}
        figures = [await _figures(stranger, path, path) for path in _OF_STRANGERS]
        return figures + [await _figures(visitor, shown, path) for shown, path in paths.items()]


async def _make_known(bench: Bench, member: MemberEnrolled, claims: list[Event[ClaimsPaymentEvent]]) -> None:
    events = [*enrolled([member]), *renewals([member], today=now().date()), *claims]
    await bench.publish([to_message(event) for event in events])
    ids = {event.data.claim_id for event in claims}
    ids |= {event.data.reverses for event in claims if isinstance(event.data, ClaimReversed)}
    mine = {"member_number": member.member_number}
    await until(lambda: bench.db["claims"].count_documents(mine) == len(ids), WITHIN_S)
    print(f"  a member with {len(ids)} claims, {DOCUMENTS} documents, {THREADS} threads", flush=True)


async def _sign_in(bench: Bench, member: MemberEnrolled, visitor: Visitor) -> None:
    """The first sign-in, with what the letter says, by the forms that members fill in."""
    temporary = await asyncio.to_thread(_letter_password, bench.infra.environments.operators(), member.member_number)
    await visitor.send("/", identifiant=member.nir, mot_de_passe=temporary)
    chosen = {"nouveau_mot_de_passe": _PASSWORD, "confirmation": _PASSWORD}
    await visitor.send("/premiere-connexion", choix="member_number", **chosen)


def _letter_password(environment: dict[str, str], member_number: str) -> str:
    for event in topics.follow(environment, [NotificationsEvent.topic], {}, WITHIN_S):
        if event and isinstance(event.data, LetterReady) and event.data.member_number == member_number:
            pdf = letters.fetch(environment, event.data.bucket, event.data.object)
            if pdf:
                return letters.temporary_password(pdf)
    raise RuntimeError("the welcome letter never came")


async def _send_things(visitor: Visitor) -> None:
    for n in range(DOCUMENTS):
        typed = {"kind": "invoice", "beneficiary_rank": "1", "comment": f"Facture n° {n + 1}"}
        await visitor.send_file("/documents/envoyer", f"facture-{n + 1}.pdf", _PDF, **typed)
    for n in range(THREADS):
        typed = {"category": "reimbursement", "subject": f"Ma question n° {n + 1}", "text": "Bonjour, merci d’avance."}
        await visitor.send("/messages/nouveau", **typed)


async def _figures(visitor: Visitor, shown: str, path: str) -> PageFigures:
    for _ in range(COLD_REQUESTS):
        await visitor.get(path)
    times_ms = [await _timed(lambda: _page(visitor, path)) for _ in range(REQUESTS)]
    page, packed = await visitor.get(path), await visitor.get(path, "gzip")
    return PageFigures(shown, times_ms, len(page.body), len(packed.body) if packed.encoding == "gzip" else None)


async def _timed(asked: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await asked()
    return (time.perf_counter() - started) * 1000


async def _page(visitor: Visitor, path: str) -> None:
    answer = await visitor.get(path)
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
