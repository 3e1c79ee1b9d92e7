"""The HTTP side of notifications as a member's app sees it, with tokens as auth signs them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import urllib3

from services.auth.settings import signing_seeds
from services.auth.tokens import AccessTokens
from shared import clock
from shared.app import API_PREFIX
from tests.processes import Service
from tests.stack import RealServers

QUESTION = {
    "subject": "Remboursement de mes lunettes",
    "category": "reimbursement",
    "text": "Bonjour,\nmes verres progressifs ne sont pas remboursés.",
}


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class Asking:
    """Requests in the name of any member."""

    def __init__(self, infra: RealServers, service: Service) -> None:
        auth = infra.environment("auth")
        self._tokens = AccessTokens(signing_seeds(auth["SIGNING_KEYS"]), issuer=auth["TOKEN_ISSUER"], lifetime_s=300)
        self._url = f"http://127.0.0.1:{service.environment['HTTP_PORT']}{API_PREFIX}"
        self._pool = urllib3.PoolManager(timeout=20.0, retries=False, maxsize=16)

    def token(self, number: str, session_id: str = "", *, read_only: bool = False) -> str:
        return self._tokens.issue(
            member_number=number,
            session_id=session_id or uuid4().hex,
            insurer="main",
            required_actions=[],
            now=clock.now(),
            read_only=read_only,
        )

    def get(self, number: str, path: str, *, token: str = "") -> Answer:
        return self._ask("GET", path, token or self.token(number), {})

    def post(self, number: str, path: str, body: Any, *, key: str = "", token: str = "") -> Answer:
        headers = {"idempotency-key": key} if key else {}
        return self._ask("POST", path, token or self.token(number), headers, json.dumps(body).encode())

    def patch(self, number: str, path: str, body: Any, *, token: str = "") -> Answer:
        return self._ask("PATCH", path, token or self.token(number), {}, json.dumps(body).encode())

    def written(self, number: str, **changes: Any) -> str:
        """The id of a thread that was begun."""
        answer = self.post(number, "/messages", QUESTION | changes)
        assert answer.status == 201, answer
        return str(answer.body["thread_id"])

    def listed(self, number: str) -> list[dict[str, Any]]:
        answer = self.get(number, "/messages?limit=100")
        assert answer.status == 200, answer
        assert answer.headers["cache-control"] == "no-store"
        items: list[dict[str, Any]] = answer.body["items"]
        return items

    def texts(self, number: str, thread_id: str) -> list[tuple[str, str]]:
        """(sender, text) of each message of a thread."""
        answer = self.get(number, f"/messages/{thread_id}")
        assert answer.status == 200, answer
        return [(message["sender"], message["text"]) for message in answer.body["messages"]]

    @contextmanager
    def stream(self, token: str) -> Iterator[Iterator[dict[str, str]]]:
        """The events of an open `GET /stream`, from its beginning on."""
        headers = {"authorization": f"Bearer {token}"}
        answer = self._pool.request("GET", f"{self._url}/stream", headers=headers, preload_content=False)
        assert answer.status == 200
        try:
            events = _events(answer)
            next(events)  # where it begins
            yield events
        finally:
            answer.close()

    def _ask(self, method: str, path: str, token: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        sent = headers | {"authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = self._pool.request(method, self._url + path, headers=sent, body=body)
        return Answer(answer.status, json.loads(answer.data), {k.lower(): v for k, v in answer.headers.items()})


def _events(answer: Any) -> Iterator[dict[str, str]]:
    text = ""
    for piece in answer.stream(1, decode_content=False):
        text += piece.decode()
        while "\n\n" in text:
            block, _, text = text.partition("\n\n")
            told = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "id" in told:
                yield told
