"""The mails' words, form and headers."""

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import get_args

import pytest

from services.notifications.mails import RULES, BadAddress, Mail, MailRoom
from services.notifications.rules import Language
from shared.events.auth import FactorChange
from tests.services.notifications.settings import some_settings

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LINK = "https://www.plansante.com/activation?token=abc-DEF_123"
EXPIRES = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)

ACTIVATION = Mail("activation", "event-1", "laure.dupont@example.org", "fr", LINK, EXPIRES)
IN_USE = Mail("address_in_use", "event-2", "laure.dupont@example.org", "fr")
CONFIRMED = Mail(
    "identifier_confirmed", "event-3", "laure@example.org", "fr", "https://www.plansante.com/", name="Laure Dupont"
)
RESET = Mail(
    "password_reset",
    "event-4",
    "laure@example.org",
    "fr",
    "https://www.plansante.com/nouveau-mot-de-passe?token=abc-DEF_123",
    EXPIRES,
    "Laure Dupont",
    NOW,
)
RESET_DONE = replace(RESET, kind="password_reset_done", link=None, link_expires_at=None)
CHANGED = replace(
    RESET_DONE, kind="password_changed", event_id="event-5", link="https://www.plansante.com/mot-de-passe-perdu"
)
NEW_DEVICE = replace(
    RESET,
    kind="new_device",
    link="https://www.plansante.com/fermer-session?token=abc-DEF_123",
    repeated="Chrome sur Windows",
)
PASSKEY = replace(RESET_DONE, kind="passkey_added", link="https://www.plansante.com/compte/cles-d-acces")
STATEMENT = replace(RESET_DONE, kind="statement", link="https://www.plansante.com/decomptes")
ANSWER = replace(RESET_DONE, kind="answer", link="https://www.plansante.com/messages")
LOCKED = replace(
    RESET,
    kind="account_locked",
    link="https://www.plansante.com/deblocage?token=abc-DEF_123",
    until=datetime(2026, 11, 23, 10, 15, tzinfo=UTC),
)
MOVED = replace(
    RESET,
    kind="address_changed",
    link="https://www.plansante.com/annuler-changement?token=abc-DEF_123",
    masked="m***@example.org",
)
MOVED_BACK = replace(RESET_DONE, kind="address_change_undone", name="")
SECOND_FACTOR = [replace(RESET_DONE, kind="second_factor", repeated=change) for change in get_args(FactorChange)]
ALL = [
    ACTIVATION,
    IN_USE,
    CONFIRMED,
    MOVED,
    MOVED_BACK,
    RESET,
    RESET_DONE,
    CHANGED,
    NEW_DEVICE,
    LOCKED,
    PASSKEY,
    STATEMENT,
    ANSWER,
    *SECOND_FACTOR,
]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        if not self.tags or self.tags[-1] not in ("style", "title"):
            self.text.append(data)


@pytest.fixture(scope="module")
def room() -> MailRoom:
    return MailRoom(some_settings(portal_url="https://www.plansante.com"))


def plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\xa0", " ")


def page(message: EmailMessage) -> _Page:
    body = message.get_body(("html",))
    assert body is not None
    parsed = _Page()
    parsed.feed(str(body.get_content()))
    return parsed


def flat(text: str) -> str:
    return " ".join(text.replace("\xa0", " ").split())


def test_an_activation_mail_has_one_button_and_its_plain_address_below(room: MailRoom) -> None:
    message = room.write(ACTIVATION, now=NOW)
    assert [link for link in page(message).links if not link.startswith("tel:")] == [LINK, LINK]
    assert LINK in plain(message).splitlines()
    assert "valable jusqu’au 24 novembre 2026 à 14 h 30" in flat(plain(message))


def test_an_activation_mail_names_nobody(room: MailRoom) -> None:
    assert "Bonjour,\n" in plain(room.write(ACTIVATION, now=NOW))


def test_a_reset_mail_has_one_link_that_works_once_and_until_when(room: MailRoom) -> None:
    message = room.write(RESET, now=NOW)
    assert RESET.link in plain(message).splitlines()
    assert "sert une seule fois. Il est valable jusqu’au 24 novembre 2026 à 14 h 30" in flat(plain(message))


def test_after_a_reset_the_mail_says_when_and_whom_to_call_and_links_to_nothing(room: MailRoom) -> None:
    message = room.write(RESET_DONE, now=NOW)
    assert message["Subject"] == "Votre mot de passe a été modifié"
    assert "a été modifié le 23 novembre 2026 à 11 h 00" in flat(plain(message))
    assert "Si ce n’était pas vous, appelez votre centre de gestion dès que possible au 04 65 71 00 00" in flat(
        plain(message)
    )
    assert all(link.startswith("tel:") for link in page(message).links)
    assert "http" not in plain(message)


def test_a_changed_password_is_told_of_with_when_and_where_to_get_another(room: MailRoom) -> None:
    message = room.write(CHANGED, now=NOW)
    assert message["Subject"] == "Votre mot de passe a été modifié"
    text = flat(plain(message))
    assert "a été modifié le 23 novembre 2026 à 11 h 00 (heure de Paris)." in text
    assert "un nouveau mot de passe sur la page « Mot de passe perdu ? »" in text
    assert "Appelez aussi votre centre de gestion au 04 65 71 00 00" in text
    assert [link for link in page(message).links if not link.startswith("tel:")] == [CHANGED.link] * 2
    english = flat(plain(room.write(replace(CHANGED, language="en"), now=NOW)))
    assert "was changed on 23 November 2026 at 11:00 (Paris time)." in english
    assert "on the page “Lost your password?”" in english


def test_a_new_device_is_told_of_with_its_name_the_hour_in_paris_and_a_way_to_take_it_back(room: MailRoom) -> None:
    message = room.write(NEW_DEVICE, now=NOW)
    text = flat(plain(message))
    assert message["Subject"] == "Nouvelle connexion à votre Espace Assuré"
    assert "Bonjour Laure Dupont," in text
    assert "le 23 novembre 2026 à 11 h 00 (heure de Paris) : Chrome sur Windows." in text
    assert "Ce n’était pas vous ?" in text
    assert [link for link in page(message).links if not link.startswith("tel:")] == [NEW_DEVICE.link] * 2
    english = room.write(replace(NEW_DEVICE, language="en", repeated="<b>Edge</b> on Mac"), now=NOW)
    assert "on 23 November 2026 at 11:00 (Paris time): <b>Edge</b> on Mac." in flat(plain(english))
    assert "b" not in page(english).tags


def test_a_block_is_told_of_with_its_end_and_a_link_that_works_once(room: MailRoom) -> None:
    message = room.write(LOCKED, now=NOW)
    text = flat(plain(message))
    assert LOCKED.link in plain(message).splitlines()
    assert "est bloquée jusqu’au 23 novembre 2026 à 11 h 15 (heure de Paris)" in text
    assert "sert une seule fois. Il est valable jusqu’au 24 novembre 2026 à 14 h 30" in text
    assert "personne n’est entré dans votre compte" in text


def test_the_old_address_learns_the_new_one_in_part_and_how_to_undo_the_change(room: MailRoom) -> None:
    message = room.write(MOVED, now=NOW)
    assert [link for link in page(message).links if not link.startswith("tel:")] == [MOVED.link, MOVED.link]
    text = flat(plain(message))
    assert "a été changée le 23 novembre 2026 à 11 h 00 (heure de Paris)." in text
    assert "La nouvelle adresse est m***@example.org :" in text
    assert "sert une seule fois. Il est valable jusqu’au 24 novembre 2026 à 14 h 30" in text


def test_an_address_that_had_to_go_again_gets_no_link_and_no_name(room: MailRoom) -> None:
    message = room.write(MOVED_BACK, now=NOW)
    assert "Bonjour,\n" in plain(message)
    assert all(link.startswith("tel:") for link in page(message).links)
    assert "appelez votre centre de gestion dès que possible au 04 65 71 00 00" in flat(plain(message))


@pytest.mark.parametrize("mail", [STATEMENT, ANSWER], ids=lambda mail: mail.kind)
def test_what_waits_in_the_portal_is_announced_with_a_link_and_no_content(room: MailRoom, mail: Mail) -> None:
    message = room.write(mail, now=NOW)
    assert [link for link in page(message).links if not link.startswith("tel:")] == [mail.link, mail.link]
    assert "€" not in plain(message)


def test_every_kind_of_mail_is_shown_in_these_tests() -> None:
    assert {mail.kind for mail in ALL} == set(RULES)


def test_an_address_that_signs_another_account_in_gets_no_link(room: MailRoom) -> None:
    message = room.write(IN_USE, now=NOW)
    assert "http" not in plain(message)
    assert all(link.startswith("tel:") for link in page(message).links)
    assert "déjà de se connecter à un autre Espace Assuré" in flat(plain(message))


def test_the_confirmation_has_the_guides_words(room: MailRoom) -> None:
    message = room.write(CONFIRMED, now=NOW)
    assert message["Subject"] == "Confirmation de votre changement de login"
    text = flat(plain(message))
    assert "Votre nouvel identifiant d’accès à l’espace Assuré a été activé." in text
    assert "Vous pouvez dès à présent vous connecter sur votre espace avec votre nouvel identifiant" in text
    assert "Bonjour Laure Dupont," in text


@pytest.mark.parametrize("mail", ALL, ids=lambda mail: f"{mail.kind}-{mail.repeated}")
@pytest.mark.parametrize("language", ["fr", "en"])
def test_text_and_html_say_the_same_and_who_writes_why_and_where_to_call(
    room: MailRoom, mail: Mail, language: Language
) -> None:
    message = room.write(replace(mail, language=language), now=NOW)
    text, shown = flat(plain(message)), flat(" ".join(page(message).text))
    assert message["Content-Language"] == language
    for must in ("Plansanté", "04 65 71 00 00", "www.plansante.com" if mail.kind == "activation" else "Plansanté"):
        assert must in text
        assert must in shown
    for sentence in text.replace("=", "").split(". "):
        assert sentence.split(" -- ")[0].split("http")[0].strip(" .:")[-30:] in shown


def test_a_repeated_mail_has_the_same_message_id_and_another_event_another(room: MailRoom) -> None:
    first, again = room.write(ACTIVATION, now=NOW), room.write(replace(ACTIVATION), now=EXPIRES)
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"] != room.write(CONFIRMED, now=NOW)["Message-ID"]
    assert first["Message-ID"].endswith("@plansante.example>")


def test_the_headers_ask_for_no_answer_and_carry_only_the_events_id(room: MailRoom) -> None:
    message = room.write(ACTIVATION, now=NOW)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Request-Id"] == "event-1"
    assert message["From"] == "Plansanté <espace-assure@plansante.example>"
    assert "abc-DEF_123" not in str(message.items())


def test_a_name_is_text_and_never_markup(room: MailRoom) -> None:
    sly = Mail("identifier_confirmed", "e", "l@example.org", "fr", LINK, name="<script>alert(1)</script>{{ link }}")
    parsed = page(room.write(sly, now=NOW))
    assert "script" not in parsed.tags
    assert "<script>alert(1)</script>{{ link }}" in flat("".join(parsed.text))


def test_nothing_in_a_mail_is_loaded_from_elsewhere(room: MailRoom) -> None:
    for mail in ALL:
        assert not {"img", "link", "script", "iframe"} & set(page(room.write(mail, now=NOW)).tags)


def test_a_domain_with_accents_is_written_in_ascii(room: MailRoom) -> None:
    assert room.write(Mail("address_in_use", "e", "l@santé.example", "fr"), now=NOW)["To"] == "l@xn--sant-epa.example"


@pytest.mark.parametrize("to", ["l@example.org\nBcc: x@example.org", "l@..", "@example.org", "l@" + "a" * 70 + ".fr"])
def test_an_address_that_breaks_a_header_is_refused(room: MailRoom, to: str) -> None:
    with pytest.raises(BadAddress):
        room.write(Mail("address_in_use", "e", to, "fr"), now=NOW)
