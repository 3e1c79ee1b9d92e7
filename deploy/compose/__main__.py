"""``python -m deploy.compose env | sign-in`` (behind ``make``)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Final

from deploy.compose import env
from deploy.compose.outside import operators
from deploy.local import demo
from deploy.local.errors import StackError
from deploy.local.paths import ROOT

FILE: Final = ROOT / ".env"
NOTES: Final = ROOT / ".demo.json"


def write_env() -> None:
    """`.env` beside `docker-compose.yml`."""
    drawn = env.write(FILE, ROOT / ".env.example")
    print(f"{FILE}: {len(drawn)} secrets drawn; what was there stays. Only you can read it.")


def sign_in() -> None:
    """Where the demo is and who can sign in, read from letters as the printing house reads them."""
    try:
        surroundings = operators(env.read(FILE))
    except KeyError as missing:
        raise StackError(f"{FILE} does not name {missing}: run `make env`") from missing
    found = demo.sign_in(surroundings, NOTES)
    print(f"\n  Portal             {surroundings['PORTAL_URL']}\n{found.lines}")
    print(f"  Mails              {surroundings['MAIL_READER_URL']}")


_COMMANDS: Final[Mapping[str, Callable[[], None]]] = {"env": write_env, "sign-in": sign_in}


def main() -> int:
    """0, or 1 with one clear line when something is in the way."""
    parser = argparse.ArgumentParser(prog="deploy.compose", description="What surrounds docker compose.")
    parser.add_argument("command", choices=_COMMANDS)
    try:
        _COMMANDS[parser.parse_args().command]()
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
