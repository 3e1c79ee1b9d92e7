"""A small service on the real backbone, for proofs about the backbone itself: it keeps each event and repeats it.

Run as a process (`python tests/shared/echo.py`) it can be killed at any moment. `effects` gets one row an applied event
with a free id, so an event applied twice would show as two rows.
"""

import os
from collections.abc import Sequence
from typing import ClassVar

from shared.app import serve
from shared.applier import Refused
from shared.backbone import Backbone
from shared.consumer import Subscription
from shared.events import CATALOGUE
from shared.events.base import Event, EventData
from shared.mongo import Transaction
from shared.settings import StatefulSettings, load
from shared.tokens import RemoteKeys

SOURCE = "/echo-test"


class Spoken(EventData):
    """What comes in: `word` decides what the handler does with it."""

    topic: ClassVar[str] = "echo-in"
    source: ClassVar[str] = SOURCE
    number: int
    word: str = "say"


class Echoed(EventData):
    """What goes out."""

    topic: ClassVar[str] = "echo-out"
    source: ClassVar[str] = SOURCE
    number: int


def register(topic_in: str, topic_out: str) -> None:
    """Add the two contracts to the catalogue of this process under these topics."""
    Spoken.topic, Echoed.topic = topic_in, topic_out
    assert isinstance(CATALOGUE, dict)
    CATALOGUE[topic_in] = {"Spoken": Spoken}
    CATALOGUE[topic_out] = {"Echoed": Echoed}


async def handle(events: Sequence[Event[EventData]], tx: Transaction) -> None:
    """Keep each event and publish its echo; `refuse`, `break` and `clash` stand for what goes wrong in a handler."""
    rows = []
    for event in events:
        assert isinstance(event.data, Spoken)
        if event.data.word == "refuse":
            raise Refused("said_refuse")
        if event.data.word == "break":
            raise KeyError("no such thing")
        rows.append({"event": event.id, "member_number": event.data.member_number, "number": event.data.number})
        if event.data.word == "clash":
            rows[-1]["_id"] = "one place"
        tx.publish(Event.of(Echoed(member_number=event.data.member_number, number=event.data.number)))
    await tx.db["effects"].insert_many(rows, session=tx.session)


def main() -> None:
    """Run the service from its environment."""
    settings = load(StatefulSettings, "echo")
    register(os.environ["TOPIC_IN"], os.environ["TOPIC_OUT"])
    backbone = Backbone("echo", settings, {"effects": []}, keys=RemoteKeys("http://127.0.0.1:9/unused"))
    app = backbone.app([Subscription(Spoken.topic, handle, settings.consumer_max_records, lanes=2)], [])
    serve(app, settings)


if __name__ == "__main__":
    main()
