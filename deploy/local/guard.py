"""A process that outlives a killed stack just long enough to end its children.

Started by ``processes.py`` with one end of a pipe as its input. Lines ``+<process group>`` and ``-<process group>`` say
which groups run. The pipe closes when the stack ends, however it ends, also by ``kill -9``: what still runs then is
terminated, and after a bounded wait killed. (PR_SET_PDEATHSIG would end a child with the *thread* that started it.)
Only the standard library, and only what starts fast: this file is run on its own.
"""

import os
import signal
import sys
import time

GRACE_S = 8.0


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        if line.startswith("+"):
            groups.append(int(line[1:]))
        elif int(line[1:]) in groups:
            groups.remove(int(line[1:]))
    end(groups)


def end(groups: list[int]) -> None:
    # Services before the servers they use: the newest first.
    deadline = time.monotonic() + GRACE_S
    for group in reversed(groups):
        send(group, signal.SIGTERM)
    while any(send(group, 0) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.1)
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
