"""The way to the mail server: a bounded number of SMTP connections, reused, each step with a time limit."""

import asyncio
import time
from contextlib import suppress
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPServerDisconnected,
)
from prometheus_client import Counter

from services.notifications.settings import NotificationsSettings
from shared.logs import get_logger

MAILS = Counter("espace_mails_total", "Tries to hand a mail to the mail server, by outcome.", ["outcome"])

log = get_logger(__name__)


class MailUnsent(Exception):
    """Not now: the server is away, busy or refuses us; the same mail may go later."""


class MailRefused(Exception):
    """Never: the server refuses this address or this mail for good (5xx). `code` is the SMTP reply code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Mailer:
    """Hands mails to the SMTP server of the settings. Nothing is queued here: who sends waits, or tries later."""

    name = "smtp"
    required = False

    def __init__(self, settings: NotificationsSettings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.smtp_connections)
        self._idle: list[tuple[SMTP, float]] = []

    async def start(self) -> None:
        """Nothing to wait for: a server that is away now is met by the jobs' retries."""

    async def stop(self) -> None:
        """Say goodbye on every connection."""
        while self._idle:
            await _quit(self._idle.pop()[0])

    async def state(self) -> str:
        """`ok` if the mail server answers now."""
        if self._slots.locked():
            return "ok"  # every connection is at work; a probe would only wait behind them
        try:
            async with asyncio.timeout(2.0), self._slots:
                await self._give_back(await self._connection())
        except (SMTPException, OSError, TimeoutError):
            return "unreachable"
        return "ok"

    async def send(self, message: EmailMessage) -> None:
        """Return once the server took responsibility for `message`. Raises MailUnsent, MailRefused."""
        try:
            async with asyncio.timeout(self._settings.smtp_timeout_seconds * 3), self._slots:
                await self._send(message)
        except MailRefused:
            MAILS.labels("refused").inc()
            raise
        except (SMTPException, OSError, TimeoutError) as error:
            MAILS.labels("unsent").inc()
            raise MailUnsent(type(error).__name__) from None
        MAILS.labels("sent").inc()

    async def _send(self, message: EmailMessage) -> None:
        connection = await self._connection()
        try:
            await connection.send_message(message)
        except BaseException as error:
            if (refusal := _for_good(error)) is None:
                connection.close()
                raise
            await self._give_back(connection)
            raise refusal from None
        await self._give_back(connection)

    async def _connection(self) -> SMTP:
        """An open connection that just answered, the youngest first; else a new one."""
        while self._idle:
            connection, since = self._idle.pop()
            if time.monotonic() - since <= self._settings.smtp_idle_seconds:
                with suppress(SMTPException, OSError, TimeoutError):
                    await connection.rset()
                    return connection
            connection.close()
        return await self._connect()

    async def _connect(self) -> SMTP:
        settings = self._settings
        connection = SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            local_hostname=settings.mail_from.rpartition("@")[2],  # else a DNS look-up finds a name, or waits for none
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            start_tls=settings.smtp_starttls,
            timeout=settings.smtp_timeout_seconds,
        )
        try:
            await connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    async def _give_back(self, connection: SMTP) -> None:
        if connection.is_connected:
            self._idle.append((connection, time.monotonic()))


def _for_good(error: BaseException) -> MailRefused | None:
    """The refusal if the server, or the address itself, will never let this mail through.

    A refused sender or login is our own trouble, not the address's: that passes once the settings are right.
    """
    if isinstance(error, SMTPRecipientsRefused):
        codes = [recipient.code for recipient in error.recipients]
        return MailRefused(codes[0]) if codes and all(code >= 500 for code in codes) else None
    if isinstance(error, SMTPDataError) and error.code >= 500:
        return MailRefused(error.code)
    if isinstance(error, SMTPNotSupported):  # an address beyond ASCII, and a server without SMTPUTF8
        return MailRefused(553)
    return None


async def _quit(connection: SMTP) -> None:
    try:
        await asyncio.wait_for(connection.quit(), 2.0)
    except (SMTPServerDisconnected, SMTPException, OSError, TimeoutError):
        connection.close()
