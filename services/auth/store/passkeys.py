"""`passkeys`: the members' passkeys, one row each."""

from datetime import datetime

from pymongo.errors import DuplicateKeyError

from services.auth.models import Passkey
from services.auth.passkeys import Signed
from shared.conflicts import WriteConflict
from shared.mongo import Mongo, Transaction


class Passkeys:
    """`_id` is ours; `credential_id` is the device's and unique. Rows live as long as their member wants them."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["passkeys"]

    async def of_member(self, member_number: str, tx: Transaction | None = None) -> list[Passkey]:
        """The member's passkeys, oldest first."""
        found = self._collection.find({"member_number": member_number}, session=tx.session if tx else None)
        return [Passkey.model_validate(row) async for row in found.sort("_id", 1)]

    async def count(self, member_number: str) -> int:
        """How many the member has."""
        return int(await self._collection.count_documents({"member_number": member_number}))

    async def by_credential(self, credential_id: str, tx: Transaction | None = None) -> Passkey | None:
        """The passkey that a device shows, whoever has it: its signature is still to be verified."""
        selection = {"credential_id": credential_id}
        found = await self._collection.find_one(selection, session=tx.session if tx else None)
        return Passkey.model_validate(found) if found else None

    async def add(self, tx: Transaction, passkey: Passkey) -> None:
        """Keep a new one."""
        try:
            await self._collection.insert_one(passkey.to_document(), session=tx.session)
        except DuplicateKeyError as error:  # sent twice at once: the later one looks again
            raise WriteConflict from error

    async def used(self, tx: Transaction, passkey: Passkey, signed: Signed, now: datetime) -> None:
        """It signed just now."""
        change = {"sign_count": signed.sign_count, "backed_up": signed.backed_up, "used_at": now}
        await self._collection.update_one({"_id": passkey.passkey_id}, {"$set": change}, session=tx.session)

    async def rename(self, tx: Transaction, member_number: str, passkey_id: str, name: str) -> bool:
        """Call the member's passkey otherwise; False if they have none such."""
        selection = {"_id": passkey_id, "member_number": member_number}
        changed = await self._collection.update_one(selection, {"$set": {"name": name}}, session=tx.session)
        return changed.matched_count > 0

    async def remove(self, tx: Transaction, member_number: str, passkey_id: str) -> bool:
        """Forget the member's passkey; False if they have none such."""
        selection = {"_id": passkey_id, "member_number": member_number}
        return (await self._collection.delete_one(selection, session=tx.session)).deleted_count > 0

    async def remove_of_device(self, tx: Transaction, member_number: str, device: str) -> bool:
        """Forget what the member, or whoever was there, added on that device; False if that was nothing."""
        selection = {"member_number": member_number, "device": device}
        return (await self._collection.delete_many(selection, session=tx.session)).deleted_count > 0

    async def remove_all(self, tx: Transaction, member_number: str) -> bool:
        """Forget all that the member has; False if there were none."""
        selection = {"member_number": member_number}
        return (await self._collection.delete_many(selection, session=tx.session)).deleted_count > 0
