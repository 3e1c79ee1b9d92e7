"""What the notifications API takes and says. Instants in UTC."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from services.notifications import rules
from services.notifications.models import Member, Message, Sender, Thread
from services.notifications.rules import Language
from services.notifications.service.messages import Conversation, takes_replies
from shared.events.fields import Id

MAX_SUBJECT_CHARACTERS = 120
MAX_TEXT_CHARACTERS = 5_000
MAX_DOCUMENTS = 10

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"


def _one_kind_of_line_end(value: object) -> object:
    # Browsers send CR LF, apps what they like; a lone CR would be a control character in disguise.
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


Subject = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=MAX_SUBJECT_CHARACTERS, pattern=rf"^[^{_CONTROLS}\t\n]*$"
    ),
]
"""One line, not blank, without control characters."""

Text = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARACTERS, pattern=rf"^[^{_CONTROLS}]*$"
    ),
    BeforeValidator(_one_kind_of_line_end),
]
"""Several lines, not blank, without control characters but tabs and line ends."""

DocumentIds = Annotated[tuple[Id, ...], Field(max_length=MAX_DOCUMENTS)]
Category = Literal["reimbursement", "card", "contract", "quote", "personal_details", "other"]


class ConsentsOut(BaseModel):
    """What the e-mail address may be used for."""

    statements: bool
    management_information: bool


class PreferencesOut(BaseModel):
    """The language of mails, and what may be mailed."""

    language: Language
    consents: ConsentsOut

    @classmethod
    def of(cls, member: Member) -> Self:
        """Those in force."""
        said = ConsentsOut.model_validate(rules.consents(member).model_dump())
        return cls(language=rules.language(member), consents=said)


class _Taken(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class NewReply(_Taken):
    """More for a thread. `document_ids`: documents that the member has sent before."""

    text: Text
    document_ids: DocumentIds = ()


class NewMessage(NewReply):
    """A first message."""

    subject: Subject
    category: Category


class ChangedConsents(_Taken):
    """What is left out stays as it is."""

    statements: bool | None = None
    management_information: bool | None = None


class ChangedPreferences(_Taken):
    """What is left out stays as it is."""

    language: Language | None = None
    consents: ChangedConsents = ChangedConsents()


class MessageOut(BaseModel):
    """One message, by the member or the management centre."""

    message_id: str
    sender: Sender
    at: datetime
    text: str
    document_ids: list[str]

    @classmethod
    def of(cls, message: Message) -> Self:
        """As stored."""
        return cls.model_validate(message.model_dump())


class ThreadItem(BaseModel):
    """One thread in the list. `unread`: answers not opened yet; `can_reply`: else write a new message."""

    thread_id: str
    category: str
    subject: str
    last_activity_at: datetime
    last_sender: Sender
    unread: int
    can_reply: bool

    @classmethod
    def of(cls, thread: Thread) -> Self:
        """A thread as its member sees it."""
        return cls.model_validate(_summary(thread))


class ThreadPage(BaseModel):
    """Newest activity first. `next_cursor` is absent on the last page."""

    items: list[ThreadItem]
    next_cursor: str | None


class ThreadDetail(ThreadItem):
    """One thread, its messages oldest first."""

    messages: list[MessageOut]

    @classmethod
    def whole(cls, conversation: Conversation) -> "ThreadDetail":
        """With every message."""
        messages = [MessageOut.of(message) for message in conversation.messages]
        return cls.model_validate(_summary(conversation.thread) | {"messages": messages})


def _summary(thread: Thread) -> dict[str, object]:
    return {
        "thread_id": thread.thread_id,
        **thread.topic.model_dump(),
        "last_activity_at": thread.active_at,
        "last_sender": thread.last_sender,
        "unread": thread.unread,
        "can_reply": takes_replies(thread),
    }
