"""What a sign-in reads before it knows whether the identifier exists."""

from types import SimpleNamespace
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions

from services.auth.models import Account
from services.auth.store.accounts import Accounts

KEY, UNKNOWN = "a" * 64, "b" * 64
MEMBER: dict[str, Any] = {"_id": "00000001", "enrolled": True, "identifier_key": KEY, "own_password": "$argon2id$…"}


class Rows:
    """A collection with one row, which remembers what it was asked for."""

    codec_options: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def find_one(self, selection: dict[str, object], **_: object) -> dict[str, Any] | None:
        self.asked.append(selection["identifier_key"])
        return MEMBER if selection == {"identifier_key": KEY} else None


async def test_for_nobody_a_row_is_asked_for_and_one_as_large_as_a_member_s_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, read = Rows(), list[dict[str, Any]]()
    validate = Account.model_validate

    def seen(row: dict[str, Any]) -> Account:
        read.append(row)
        return validate(row)

    monkeypatch.setattr(Account, "model_validate", seen)
    accounts = Accounts(SimpleNamespace(db={"accounts": rows}))  # type: ignore[arg-type]  # one collection is enough
    somebody = await accounts.by_identifier(KEY)
    assert somebody is not None
    assert somebody.own_password == MEMBER["own_password"]
    assert await accounts.by_identifier(UNKNOWN) is None
    assert rows.asked == [KEY, UNKNOWN]
    assert read[0] == MEMBER
    assert 2000 < len(bson.encode(read[1])) < 4000
    assert len(read[1]["facts"]) == 8
