"""The letter with a temporary password, as text and as places on the paper."""

from dataclasses import replace
from datetime import UTC, datetime

import pypdfium2
import pytest

from services.notifications import rules
from services.notifications.letters import LetterPress, TemporaryPassword
from services.notifications.models import Address, Member
from services.notifications.settings import NotificationsSettings
from tests.services.notifications.settings import some_settings

MM = 72 / 25.4
WINDOW = (90 * MM, 44 * MM, 200 * MM, 90 * MM)
"""Left, top, right, bottom of whatever the envelope's window may show, in points from the sheet's top left."""

ISSUED = datetime(2026, 11, 23, 10, tzinfo=UTC)
ORDER = (ISSUED, "e")
LYON = Address(lines=("12 rue des Lilas",), postal_code="69003", city="Lyon", country="FR")
LONGEST = Address(lines=("ligne d’une adresse aussi longue",) * 6, postal_code="1000", city="Genève", country="CH")
LAURE = rules.told_by_membership(rules.UNKNOWN, {"title": "MME", "first_name": "Laure", "last_name": "Dupont"}, ORDER)
WELCOME = TemporaryPassword(
    member_number="12345678",
    reason="enrolment",
    identifier_kind="nir",
    password="K7MP-4RTX-92VD",
    issued_at=ISSUED,
    expires_at=datetime(2026, 12, 23, 10, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def settings() -> NotificationsSettings:
    return some_settings(portal_url="https://www.plansante.com")


@pytest.fixture(scope="module")
def press(settings: NotificationsSettings) -> LetterPress:
    return LetterPress(settings)


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        text = document[0].get_textpage().get_text_bounded()
    finally:
        document.close()
    return " ".join(text.replace("\xa0", " ").split())


def lines(pdf: bytes, box: tuple[float, float, float, float] | None = None) -> list[str]:
    """The lines of text of the first page, or of a part of it (left, top, right, bottom from the top left)."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0]
        height = page.get_height()
        left, top, right, bottom = box or (0, 0, page.get_width(), height)
        text = page.get_textpage().get_text_bounded(left, height - bottom, right, height - top)
    finally:
        document.close()
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_the_password_stands_in_one_piece_on_a_line_of_its_own(press: LetterPress) -> None:
    assert "Votre mot de passe provisoire : K7MP-4RTX-92VD" in lines(press.temporary_password(WELCOME, LAURE, LYON))


def test_the_first_sign_in_is_explained_in_the_guides_words(press: LetterPress) -> None:
    text = words(press.temporary_password(WELCOME, LAURE, LYON))
    assert "Rendez-vous sur le site : www.plansante.com puis « Espace Assuré »" in text
    assert "votre numéro de Sécurité sociale indiqué sur votre carte Vitale (numéro à 13 chiffres sans le code" in text
    assert "À utiliser avant le 23 décembre 2026" in text
    assert "Madame," in text
    assert "04 65 71 00 00" in text


def test_a_second_account_of_the_same_person_signs_in_with_its_member_number(press: LetterPress) -> None:
    text = words(press.temporary_password(replace(WELCOME, identifier_kind="member_number"), LAURE, LYON))
    assert "votre numéro d’adhérent : 12345678" in text
    assert "Sécurité sociale" not in text


@pytest.mark.parametrize(
    ("reason", "title"),
    [
        ("enrolment", "Bienvenue dans votre Espace Assuré"),
        ("renewal", "Votre nouveau mot de passe provisoire"),
        ("reset", "Votre nouveau mot de passe provisoire"),
    ],
)
def test_each_reason_has_its_own_letter(press: LetterPress, reason: str, title: str) -> None:
    pdf = press.temporary_password(replace(WELCOME, reason=reason), LAURE, LYON)
    assert title in words(pdf)
    assert ("vous devez obligatoirement personnaliser votre identifiant" in words(pdf)) is (reason != "reset")


def test_the_window_shows_the_address_and_nothing_else(press: LetterPress) -> None:
    pdf = press.temporary_password(WELCOME, LAURE, LYON)
    assert lines(pdf, WINDOW) == ["MME LAURE DUPONT", "12 RUE DES LILAS", "69003 LYON"]


def test_five_lines_show_wherever_the_sheet_has_slid_in_its_envelope(press: LetterPress) -> None:
    to = LYON.model_copy(update={"lines": ("Appartement 12", "Résidence les Acacias", "12 rue des Lilas")})
    pdf = press.temporary_password(WELCOME, LAURE, to)
    assert len(lines(pdf, (100 * MM, 55 * MM, 190 * MM, 79 * MM))) == 5
    assert lines(pdf, (90 * MM, 30 * MM, 200 * MM, 54.5 * MM)) == []
    assert lines(pdf, (90 * MM, 79 * MM, 200 * MM, 100 * MM)) == []


@pytest.mark.parametrize("member", [LAURE, rules.UNKNOWN])
def test_the_longest_letter_is_one_page_and_its_address_stays_in_the_window(member: Member) -> None:
    settings = some_settings(
        portal_url="https://espace-assure.une-societe-de-gestion-au-nom-interminable.example",
        brand_name="La Mutuelle Interprofessionnelle",
        centre_name="Centre de gestion de la Mutuelle Interprofessionnelle",
        centre_address="Service des adhésions, TSA 10001, 69303 LYON CEDEX 07",
    )
    pdf = LetterPress(settings).temporary_password(WELCOME, member, LONGEST)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    document.close()
    assert len(lines(pdf, WINDOW)) == 8 + bool(rules.full_name(member))
    assert lines(pdf, (100 * MM, 90 * MM, 200 * MM, 99 * MM)) == []
    assert "témoignez." in words(pdf)


def test_equal_letters_are_equal_bytes(press: LetterPress) -> None:
    assert press.temporary_password(WELCOME, LAURE, LYON) == press.temporary_password(WELCOME, LAURE, LYON)


def test_a_name_is_text_and_never_markup(press: LetterPress) -> None:
    name = "#panic() *x* $y$ \\ _z_ [ é \u0301"
    sly = rules.told_by_membership(rules.UNKNOWN, {"last_name": name}, ORDER)
    assert "#PANIC() *X* $Y$" in words(press.temporary_password(WELCOME, sly, LYON))


def test_whatever_letters_a_name_has_the_letter_is_made(press: LetterPress) -> None:
    every = "".join(
        chr(code) for code in (*range(0x20, 0x3000), 0x20AC, 0x6F22, 0x1F600) if not 0xD800 <= code < 0xE000
    )
    for start in range(0, len(every), 400):
        member = rules.told_by_membership(rules.UNKNOWN, {"last_name": every[start : start + 400]}, ORDER)
        assert press.temporary_password(WELCOME, member, LYON).startswith(b"%PDF")


def test_the_pdf_says_that_it_is_accessible(press: LetterPress) -> None:
    pdf = press.temporary_password(WELCOME, LAURE, LYON)
    assert b"pdfuaid:part" in pdf
    assert b"/Lang(fr-FR)" in pdf
