"""Lines for whatever takes longer than a person waits without asking."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

FIRST_LINE_AFTER_S: Final = 3.0
NEXT_LINES_EVERY_S: Final = 15.0


@contextmanager
def progress(doing: str, usually: str = "") -> Iterator[None]:
    """Say what is being done once it lasts longer than 3 s, then every 15 s, and how long it took."""
    started = time.monotonic()
    finished = threading.Event()
    said = threading.Event()

    def talk() -> None:
        wait_s = FIRST_LINE_AFTER_S
        while not finished.wait(wait_s):
            again = f" ({time.monotonic() - started:.0f} s)" if said.is_set() else usually and f" ({usually})"
            print(f"  {doing} …{again}", flush=True)
            said.set()
            wait_s = NEXT_LINES_EVERY_S

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield
        finished.set()
        thread.join()
        if said.is_set():
            print(f"  {doing}: done in {time.monotonic() - started:.0f} s", flush=True)
    finally:
        finished.set()
