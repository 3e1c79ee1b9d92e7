"""What is stored of an account that was read before the transaction which changes it, on a real MongoDB."""

from __future__ import annotations

import pytest

from services.auth.models import Account
from services.auth.store import collections
from services.auth.store.accounts import Accounts
from shared.ids import new_id
from shared.mongo import Mongo, Transaction

pytestmark = pytest.mark.servers


async def _stored(mongo: Mongo, **fields: object) -> Account:
    accounts, number = Accounts(mongo), new_id()
    await mongo.transaction(lambda tx: accounts.save(tx, [Account.model_validate({"_id": number, **fields})]))
    account = await accounts.get(number)
    assert account is not None
    return account


def _with_password(account: Account, own: str) -> Account:
    return account.model_copy(update={"own_password": own})


async def test_what_was_read_too_early_is_read_again_and_nobody_s_change_is_lost(mongo: Mongo) -> None:
    accounts, early = Accounts(mongo), await _stored(mongo)
    before = iter([early])
    other = early.model_copy(update={"passwords_set": 1})
    await mongo.transaction(lambda tx: accounts.save(tx, [other]))

    async def late(tx: Transaction) -> None:
        read = next(before, None) or await accounts.get(early.member_number, tx)
        assert read is not None
        await accounts.change(tx, read, _with_password(read, "new"))

    await mongo.transaction(late)
    after = await accounts.get(early.member_number)
    assert after is not None
    assert (after.own_password, after.passwords_set) == ("new", 1)
    assert after.revision == (early.revision or 0) + 2


async def test_of_what_did_not_change_nothing_is_written(mongo: Mongo) -> None:
    accounts, early = Accounts(mongo), await _stored(mongo, activated_email="sealed")
    sealed_again = {"$set": {"activated_email": "sealed again"}}  # as `shared.resealing` does: no change of the account
    await mongo.db["accounts"].update_one({"_id": early.member_number}, sealed_again)
    await mongo.transaction(lambda tx: accounts.change(tx, early, _with_password(early, "new")))
    after = await accounts.get(early.member_number)
    assert after is not None
    assert (after.own_password, after.activated_email) == ("new", "sealed again")


async def test_a_row_of_before_it_was_counted_is_changed_all_the_same(mongo: Mongo) -> None:
    accounts, early = Accounts(mongo), await _stored(mongo)
    await mongo.db["accounts"].update_one({"_id": early.member_number}, {"$unset": {"revision": 1}})
    read = await accounts.get(early.member_number)
    assert read is not None
    await mongo.transaction(lambda tx: accounts.change(tx, read, _with_password(read, "new")))
    after = await accounts.get(early.member_number)
    assert after is not None
    assert (after.own_password, after.revision) == ("new", 1)


async def test_a_sign_in_finds_its_account_by_an_index(mongo: Mongo) -> None:
    account = await _stored(mongo, identifier_key=new_id())
    await mongo.db["accounts"].create_indexes(list(collections()["accounts"]))
    asked = {"find": "accounts", "filter": {"identifier_key": account.identifier_key}}
    plan = str(await mongo.db.command("explain", asked, verbosity="queryPlanner"))
    assert "IXSCAN" in plan
    assert "COLLSCAN" not in plan
    assert await Accounts(mongo).by_identifier(str(account.identifier_key)) == account
