"""``python -m deploy.local run | install | browser | clean-data`` (behind ``make``)."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

from deploy.local import stack
from deploy.local.chromium import chromium
from deploy.local.errors import StackError
from deploy.local.paths import cache_folder, data_folder
from deploy.local.processes import Processes
from deploy.local.run import run
from deploy.local.tools import Toolbox


def install() -> None:
    """Every tool the servers need."""
    with Processes(cache_folder() / "logs") as processes:
        Toolbox(cache_folder(), processes).tools()


def browser() -> None:
    """The browser of the browser tests."""
    with Processes(cache_folder() / "logs") as processes:
        chromium(processes)


def clean_data() -> None:
    """What ``run`` keeps."""
    stack.clean(data_folder())
    print(f"The data in {data_folder()} is deleted; the tools stay in {cache_folder()}.")


_COMMANDS: Final[Mapping[str, Callable[[], None]]] = {
    "run": run,
    "install": install,
    "browser": browser,
    "clean-data": clean_data,
}


_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def main() -> int:
    """0 also after Ctrl-C, 1 with one clear line when something is in the way."""
    parser = argparse.ArgumentParser(prog="deploy.local", description="The portal and its servers on this machine.")
    parser.add_argument("command", choices=_COMMANDS)
    command = _COMMANDS[parser.parse_args().command]
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _interrupt)
    try:
        command()
    except KeyboardInterrupt:
        return 0 if command is run else 130
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once: a second Ctrl-C would otherwise cut the clean stop short and lose what is being finished.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    print("\nStopping …", flush=True)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
