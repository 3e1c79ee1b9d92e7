"""A member's passkeys: added, named, removed."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final

from webauthn.helpers import bytes_to_base64url

from services.auth import rules
from services.auth.errors import PasskeyRefused, TooManyPasskeys
from services.auth.models import Account, Passkey
from services.auth.passkey_challenges import registration_of
from services.auth.passkey_schemas import NewPasskey, PasskeyName, PasskeyView
from services.auth.passkeys import USER_HANDLE_BYTES, Ceremonies, User
from services.auth.schemas import Options
from services.auth.service.sessions import Caller, Sessions
from services.auth.store import Store
from shared import ids
from shared.errors import FieldError, Invalid, NotFound, RequiredAction, StepUpRequired
from shared.events.auth import PasskeyAdded
from shared.events.base import Event
from shared.mongo import Mongo, Transaction
from shared.tokens import Member

MAX_PASSKEYS: Final = 10
UNNAMED: Final = "Clé d’accès"
"""Where neither the member nor the session's client gave a name."""


class Passkeys:
    """For a member with nothing left to do first; anybody else gets `RequiredAction`."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        sessions: Sessions,
        ceremonies: Ceremonies,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._sessions = mongo, store, sessions
        self._ceremonies, self._clock = ceremonies, clock

    async def view(self, member: Member) -> list[PasskeyView]:
        """Oldest first."""
        await self._caller(member)
        return [_view(passkey) for passkey in await self._store.passkeys.of_member(member.member_number)]

    async def options(self, member: Member) -> Options:
        """What a device needs to make one. Raises `StepUpRequired`, `TooManyPasskeys`."""

        async def body(tx: Transaction) -> tuple[Caller, list[Passkey]]:
            caller = await self._confirmed(member, tx)
            known = await self._known(tx, caller)
            if caller.account.passkey_user is None:  # drawn once: a device keeps one passkey of a handle
                account = caller.account.model_copy(update={"passkey_user": _new_handle()})
                await self._store.accounts.save(tx, [account])
                caller = Caller(caller.session, account)
            return caller, known

        caller, known = await self._mongo.transaction(body)
        return self._ceremonies.to_make(_user(caller.account), known, _purpose(caller))

    async def add(self, member: Member, request: NewPasskey) -> PasskeyView:
        """Keep what a device made. Raises `StepUpRequired`, `TooManyPasskeys`, `PasskeyRefused`."""

        async def body(tx: Transaction) -> Passkey:
            caller = await self._confirmed(member, tx)
            await self._known(tx, caller)
            made = self._ceremonies.made(request.credential, _purpose(caller))
            if not await self._store.used_challenges.use(tx, made.proof.key, made.proof.expires_at):
                raise PasskeyRefused
            if await self._store.passkeys.by_credential(made.credential_id, tx):
                raise PasskeyRefused
            passkey = Passkey(
                passkey_id=ids.new_id(),
                member_number=member.member_number,
                credential_id=made.credential_id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                backed_up=made.backed_up,
                name=rules.plain_passkey_name(request.name) or caller.session.device_name or UNNAMED,
                added_at=self._clock(),
                device=caller.session.device,
            )
            await self._store.passkeys.add(tx, passkey)
            # Always written: of two that are added at once, one looks again how many there are.
            await self._store.accounts.save(tx, [caller.account])
            await self._store.security_events.note(tx, member.member_number, "passkey_added", device=passkey.name)
            tx.publish(Event.of(PasskeyAdded(member_number=member.member_number, at=passkey.added_at)))
            return passkey

        return _view(await self._mongo.transaction(body))

    async def rename(self, member: Member, passkey_id: str, request: PasskeyName) -> PasskeyView:
        """Raises `NotFound` for what is not the member's, `Invalid` (`name`) where no word is left of it."""
        name = rules.plain_passkey_name(request.name)
        if name is None:
            raise Invalid(errors=[FieldError("name", "required", "A name is required.")])

        async def body(tx: Transaction) -> Passkey:
            await self._caller(member, tx)
            if not await self._store.passkeys.rename(tx, member.member_number, passkey_id, name):
                raise NotFound
            found = await self._store.passkeys.of_member(member.member_number, tx)
            return next(passkey for passkey in found if passkey.passkey_id == passkey_id)

        return _view(await self._mongo.transaction(body))

    async def remove(self, member: Member, passkey_id: str) -> None:
        """It opens nothing any more, and what it opened elsewhere is closed. Raises `StepUpRequired`, `NotFound`."""

        async def body(tx: Transaction) -> None:
            caller = await self._confirmed(member, tx)
            if not await self._store.passkeys.remove(tx, member.member_number, passkey_id):
                raise NotFound
            await self._sessions.close_opened_by(tx, caller, passkey_id)
            await self._store.security_events.note(tx, member.member_number, "passkey_removed")

        await self._mongo.transaction(body)

    async def not_now(self, member: Member) -> None:
        """« Plus tard »: it is not offered again."""

        async def body(tx: Transaction) -> None:
            caller = await self._caller(member, tx)
            await self._store.accounts.save(tx, [caller.account.model_copy(update={"passkey_declined": True})])

        await self._mongo.transaction(body)

    async def _known(self, tx: Transaction, caller: Caller) -> list[Passkey]:
        known = await self._store.passkeys.of_member(caller.account.member_number, tx)
        if len(known) >= MAX_PASSKEYS:
            raise TooManyPasskeys
        return known

    async def _confirmed(self, member: Member, tx: Transaction) -> Caller:
        caller = await self._caller(member, tx)
        if not rules.is_confirmed(caller.session, self._clock()):
            raise StepUpRequired
        return caller

    async def _caller(self, member: Member, tx: Transaction | None = None) -> Caller:
        caller = await self._sessions.caller(member, tx)
        if caller.required_actions:
            raise RequiredAction
        return caller


async def end_passkeys(store: Store, tx: Transaction, member_number: str) -> None:
    """Whoever had the password could have added one: with a password that was lost, all of them end."""
    if await store.passkeys.remove_all(tx, member_number):
        await store.security_events.note(tx, member_number, "passkey_removed")


def _purpose(caller: Caller) -> str:
    return registration_of(caller.account.member_number, caller.session.session_id)


def _user(account: Account) -> User:
    """As the device shows it in its list: the people of a household may share one."""
    name = f"{account.fact('first_name') or ''} {account.fact('last_name') or ''}".strip()
    return User(str(account.passkey_user), f"{name} ({account.member_number})".strip(), name or account.member_number)


def _new_handle() -> str:
    return bytes_to_base64url(secrets.token_bytes(USER_HANDLE_BYTES))


def _view(passkey: Passkey) -> PasskeyView:
    return PasskeyView(
        passkey_id=passkey.passkey_id,
        name=passkey.name,
        added_at=passkey.added_at,
        used_at=passkey.used_at,
        backed_up=passkey.backed_up,
    )
