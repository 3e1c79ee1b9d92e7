"""A sign-in on a device that the account did not know: the member is told, and can take it back for some days."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.auth import rules, tokens
from services.auth.models import Account, CloseLink, Session
from services.auth.service.activation_mails import LINKS_KEPT
from services.auth.service.mailed_links import good_link
from services.auth.service.password_resets import PasswordResets
from services.auth.service.second_factor_end import end_second_factor
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from shared import ids
from shared.events.auth import SignedInFromNewDevice
from shared.events.base import Event
from shared.mongo import Mongo, Transaction
from shared.sealing import Keyring

UNNAMED = "Appareil inconnu"
"""In the place of a name, where the client gave none."""


class NewDevices:
    """Announces them, and undoes what one of them opened. Whom to tell, and where, notifications knows."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        sealing: Keyring,
        sessions: Sessions,
        password_resets: PasswordResets,
        link_lives: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._sealing = mongo, store, sealing
        self._sessions, self._password_resets = sessions, password_resets
        self._link_lives, self._clock = link_lives, clock

    async def arrived(self, tx: Transaction, account: Account, session: Session) -> Account:
        """The sign-in is whole: its device is known from now on, and told of if it is news. Not stored yet."""
        device, now = str(session.device), self._clock()
        is_news = rules.is_new_device(account, device)
        account = rules.with_device(account, device, now, trusted=session.trusted)
        await self._store.security_events.note(tx, account.member_number, "signed_in", device=session.device_name)
        if is_news:
            await self._announce(tx, session)
        return account.model_copy(update={"signed_in_at": now})

    async def _announce(self, tx: Transaction, session: Session) -> None:
        token, event_id, expires_at = tokens.new_secret(), ids.new_id(), session.opened_at + self._link_lives
        link = CloseLink(
            token_hash=tokens.digest(token),
            member_number=session.member_number,
            session_id=session.session_id,
            device=str(session.device),
            expires_at=expires_at,
            delete_at=expires_at + LINKS_KEPT,
        )
        await self._store.close_links.add(tx, link)
        data = SignedInFromNewDevice(
            member_number=session.member_number,
            at=session.opened_at,
            device=session.device_name or UNNAMED,
            close_token=self._sealing.seal(token, event_id=event_id, field="close_token"),
            expires_at=expires_at,
        )
        tx.publish(Event.of(data, id=event_id))
        await self._store.security_events.note(tx, session.member_number, "new_device", device=session.device_name)

    async def close(self, token: str) -> None:
        """The button of the mailed link: that device is out and unknown again, and a new password is on its way.

        Raises `LinkUsed`, `LinkExpired`.
        """

        async def body(tx: Transaction) -> None:
            now = self._clock()
            link, account = await good_link(self._store, self._store.close_links, tokens.digest(token), now, tx)
            await self._store.close_links.use(tx, link, now)
            await self._sessions.close_device(tx, link.member_number, link.device, session_id=link.session_id)
            account = rules.without_device(account, link.device)
            if account.second_factor and account.second_factor.device == link.device:
                account = await end_second_factor(tx, self._store, account, now)
            if await self._store.passkeys.remove_of_device(tx, link.member_number, link.device):
                await self._store.security_events.note(tx, link.member_number, "passkey_removed")
            # Always written: of a sign-in with that device at the same instant, one of the two runs again.
            await self._store.accounts.save(tx, [account])
            await self._password_resets.ask_for(tx, account)
            await self._store.security_events.note(tx, account.member_number, "device_closed")

        await self._mongo.transaction(body)
