"""Members and their letters. A member's row is one sealed value: names and addresses, never the NIR."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, IndexModel, ReplaceOne
from pymongo.errors import BulkWriteError

from services.notifications.models import Letter, LetterState, Member
from shared.conflicts import WriteConflict
from shared.mongo import Database, Document, Transaction
from shared.sealing import Keyring

MEMBERS = "members"
LETTERS = "letters"

_DUPLICATE_KEY = 11000


COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    MEMBERS: [],
    LETTERS: [IndexModel([("member_number", ASCENDING)])],
}


class Store:
    """Reads and writes members and letters. What takes a transaction belongs to the event or job under way."""

    def __init__(self, db: Database, at_rest: Keyring) -> None:
        self._db = db
        self._at_rest = at_rest

    async def members(self, tx: Transaction, numbers: Iterable[str]) -> dict[str, Member]:
        """Those that are known, by member number, as this transaction sees them."""
        rows = self._db[MEMBERS].find({"_id": {"$in": sorted(set(numbers))}}, session=tx.session)
        return {row["_id"]: self._opened(row) async for row in rows}

    async def save_members(self, tx: Transaction, members: Mapping[str, Member]) -> None:
        """Write these members whole."""
        writes = [ReplaceOne({"_id": number}, self._sealed(number, members[number]), upsert=True) for number in members]
        if not writes:
            return
        try:
            await self._db[MEMBERS].bulk_write(writes, ordered=True, session=tx.session)
        except BulkWriteError as error:
            if any(problem["code"] == _DUPLICATE_KEY for problem in error.details["writeErrors"]):
                raise WriteConflict from error  # another topic made this member meanwhile
            raise

    async def member(self, number: str) -> Member:
        """What is known of a member now; an empty one if nothing is."""
        row = await self._db[MEMBERS].find_one({"_id": number})
        return self._opened(row) if row else Member()

    async def add_letter(self, tx: Transaction, letter: Letter) -> None:
        """Write a letter that is to be rendered."""
        row = letter.model_dump(exclude={"letter_id"})
        await self._db[LETTERS].replace_one({"_id": letter.letter_id}, row, upsert=True, session=tx.session)

    async def letter(self, letter_id: str, *, tx: Transaction | None = None) -> Letter | None:
        """One letter, for those who got its id from an event."""
        row = await self._db[LETTERS].find_one({"_id": letter_id}, session=tx.session if tx else None)
        return _letter(row) if row else None

    async def letters_of(self, tx: Transaction, member_number: str) -> list[Letter]:
        """The member's letters that are not deleted yet."""
        rows = self._db[LETTERS].find({"member_number": member_number}, session=tx.session)
        return [_letter(row) async for row in rows]

    async def mark_ready(self, tx: Transaction, letter_id: str) -> bool:
        """waiting → ready; False if the letter is not waiting any more: then its object must go again."""
        change = {"$set": {"state": LetterState.READY}}
        where = {"_id": letter_id, "state": LetterState.WAITING}
        return (await self._db[LETTERS].update_one(where, change, session=tx.session)).modified_count == 1

    async def mark_withdrawn(self, letter_id: str) -> None:
        """Whatever its state → withdrawn, before its object is deleted: who renders it now finds out at its commit."""
        await self._db[LETTERS].update_one({"_id": letter_id}, {"$set": {"state": LetterState.WITHDRAWN}})

    async def set_deletion(self, tx: Transaction, letter_id: str, at: datetime) -> None:
        """When the letter is to be deleted."""
        await self._db[LETTERS].update_one({"_id": letter_id}, {"$set": {"delete_at": at}}, session=tx.session)

    async def forget_letter(self, tx: Transaction, letter_id: str) -> None:
        """Delete the row of a letter whose object is gone."""
        await self._db[LETTERS].delete_one({"_id": letter_id}, session=tx.session)

    async def forget_member(self, tx: Transaction, number: str) -> None:
        """Delete what is known of this member; letters go by themselves, after their objects."""
        await self._db[MEMBERS].delete_one({"_id": number}, session=tx.session)

    def _sealed(self, number: str, member: Member) -> Document:
        return {"_id": number, "sealed": self._at_rest.seal_at_rest(member.model_dump_json(), context=_context(number))}

    def _opened(self, row: Document) -> Member:
        return Member.model_validate_json(self._at_rest.open_at_rest(row["sealed"], context=_context(row["_id"])))


def _context(number: str) -> str:
    return f"{MEMBERS}/{number}"


def _letter(row: Document) -> Letter:
    return Letter.model_validate({**row, "letter_id": row["_id"]})
