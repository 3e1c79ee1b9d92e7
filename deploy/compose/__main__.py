"""``python -m deploy.compose env | sign-in | rotate NAME | retire NAME`` (behind ``make``)."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from deploy.compose import env
from deploy.compose.outside import operators
from deploy.local import demo
from deploy.local.errors import StackError
from deploy.local.paths import ROOT

T = TypeVar("T")
FILE: Final = ROOT / ".env"
NOTES: Final = ROOT / ".demo.json"
_KEYS_IN_USE: Final = re.compile(r"^service=\S+ in_use=(\S+)$", re.MULTILINE)
_ASKED_S: Final = 120.0


def write_env() -> None:
    """`.env` beside `docker-compose.yml`."""
    drawn = env.write(FILE, ROOT / ".env.example")
    print(f"{FILE}: {len(drawn)} secrets drawn; what was there stays. Only you can read it.")


def rotate(name: str) -> None:
    """A new key before the others; services take it up when they start again."""
    version = _changed(name, env.rotate)
    print(f"{name}: {version} is used from the next `docker compose up -d --wait` on; the older ones still open.")


def retire(name: str) -> None:
    """The older keys go, once nothing made with them has to be read any more."""
    gone = _changed(name, lambda file, setting: env.retire(file, setting, _in_use))
    print(f"{name}: {gone} older keys gone from the next `docker compose up -d --wait` on.")


def _in_use(service: str) -> list[str]:
    """The keys under which a service may hold something sealed, asked of the running installation."""
    command = ["docker", "compose", "run", "--rm", "--no-deps", "-T", "portal", "keys", service]
    try:
        asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_ASKED_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"no key goes: docker compose could not be asked ({type(error).__name__})") from error
    answer = _KEYS_IN_USE.search(asked.stdout)
    if asked.returncode or not answer:
        raise StackError(f"no key goes: {asked.stderr.strip() or 'docker compose gave no answer'}")
    return answer[1].split(",")


def _changed(name: str, change: Callable[[Path, str], T]) -> T:
    try:
        return change(FILE, name)
    except LookupError as error:
        raise StackError(str(error.args[0])) from error


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
_KEY_COMMANDS: Final[Mapping[str, Callable[[str], None]]] = {"rotate": rotate, "retire": retire}


def main() -> int:
    """0, or 1 with one clear line when something is in the way."""
    parser = argparse.ArgumentParser(prog="deploy.compose", description="What surrounds docker compose.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in _COMMANDS:
        commands.add_parser(name)
    for name in _KEY_COMMANDS:
        commands.add_parser(name).add_argument("name", help="a setting of keys, for instance SIGNING_KEYS_AUTH")
    asked = parser.parse_args()
    try:
        if asked.command in _COMMANDS:
            _COMMANDS[asked.command]()
        else:
            _KEY_COMMANDS[asked.command](asked.name)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
