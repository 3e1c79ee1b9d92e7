"""Coming in, however it was proved: on which device, what is recorded, and whether the member is to be told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.auth import rules, tokens
from services.auth.errors import SignInClosed
from services.auth.models import Account, PasswordKind, Session
from services.auth.schemas import OnDeviceRequest, SignedIn
from services.auth.second_factor_rules import asked_for
from services.auth.service.new_devices import NewDevices
from services.auth.service.sessions import OnDevice, Sessions
from services.auth.store import Store
from shared.mongo import Transaction


@dataclass(frozen=True, slots=True)
class Arrived:
    """A session that was opened, and the token by which its device is known from now on."""

    session: Session
    account: Account
    device_token: str


class Arrivals:
    """Opens sessions for members who have proved who they are."""

    def __init__(
        self, *, store: Store, sessions: Sessions, new_devices: NewDevices, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._sessions, self._new_devices, self._clock = store, sessions, new_devices, clock

    async def open(
        self,
        tx: Transaction,
        account: Account,
        request: OnDeviceRequest,
        *,
        before: Account | None = None,
        password: PasswordKind = "own",  # noqa: S107 - a kind
        passkey: str | None = None,
    ) -> Arrived:
        """A session on the device of `request`; `passkey`: the one that opens it. Raises `SignInClosed`.

        `before`: the account as it was read, if the one given differs already.

        Where a second factor is due the device becomes known, and is told of, once that was shown. `account` is always
        written: what changes it at the same instant makes one of the two transactions run again.
        """
        if account.closure:
            raise SignInClosed
        before = before or account
        shown = {tokens.digest(token): token for token in request.shown_devices}
        known = rules.known_device(account, shown)
        kept = shown[known] if known else tokens.new_secret()
        name = rules.plain_device_name(request.device_name)
        device = OnDevice(name, tokens.digest(kept), trusted=request.trust_device)
        due = account.second_factor is not None and passkey is None  # a passkey is two factors by itself
        session = await self._sessions.open(
            tx, account, password=password, device=device, passkey=passkey, second_factor_due=due
        )
        if due:
            account = asked_for(account, self._clock())
            await self._store.security_events.note(tx, account.member_number, "second_factor_asked", device=name)
        else:
            account = await self._new_devices.arrived(tx, account, session)
        await self._store.accounts.change(tx, before, account)
        return Arrived(session, account, kept)

    def answer(self, arrived: Arrived) -> SignedIn:
        """What the client gets, once that is committed."""
        pair = self._sessions.tokens(arrived.session, arrived.account, refresh_number=0)
        return SignedIn(**pair.model_dump(), device_token=arrived.device_token)
