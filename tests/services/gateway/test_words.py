"""The words of the pages: whole in both languages, and the right ones for each reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from babel.messages.catalog import Catalog
from jinja2 import Environment

from deploy.words import faults, merged, set_in_french, texts, written
from services.gateway.pages import formats, words
from services.gateway.pages.words import Language

NARROW, WIDE, MINUS = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


def test_the_catalogues_hold_exactly_the_texts_of_the_pages() -> None:
    wanted = texts()
    for language in words.NAMES:
        assert faults(words.catalogue(language), wanted) == []


def test_the_files_are_as_the_tool_writes_them() -> None:
    wanted = texts()
    for language in words.NAMES:
        catalog = merged(language, words.catalogue(language), wanted)
        assert words.file_of(language).read_text(encoding="utf-8") == written(language, catalog)


def _gone(catalog: Catalog) -> None:
    catalog.delete("Un jour de <b>%(name)s</b> à {n}")


def _unused(catalog: Catalog) -> None:
    catalog.add("Un jour d’avant", "A day before")


def _said(text: str) -> Callable[[Catalog], None]:
    def change(catalog: Catalog) -> None:
        catalog["Un jour de <b>%(name)s</b> à {n}"].string = text

    return change


def _fuzzy(catalog: Catalog) -> None:
    catalog["Un jour de <b>%(name)s</b> à {n}"].flags.add("fuzzy")


def _forms(*forms: str) -> Callable[[Catalog], None]:
    def change(catalog: Catalog) -> None:
        catalog["%(count)s jour"].string = forms

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_gone, "not in the catalogue: « Un jour de <b>%(name)s</b> à {n} » (pages/a.html)"),
        (_unused, "unused: « Un jour d’avant » ()"),
        (_fuzzy, "fuzzy: « Un jour de"),
        (_said(" "), "not translated: « Un jour de"),
        (_said("A day of <b>%(nam)s</b> at {n}"), "other placeholders or tags: « Un jour de"),
        (_said("A day of <b>%(name)s</b> at {m}"), "other placeholders or tags: « Un jour de"),
        (_said("A day of <i>%(name)s</i> at {n}"), "other placeholders or tags: « Un jour de"),
        (_said("A day of <b>%(name)s</b> at {n} and {n}"), "other placeholders or tags: « Un jour de"),
        (_said("A %day of <b>%(name)s</b> at {n}"), 'a loose %, <, >, " or &: « Un jour de'),
        (_said('A "day" of <b>%(name)s</b> at {n}'), 'a loose %, <, >, " or &: « Un jour de'),
        (_forms("%(count)s day"), "wrong number of plural forms: « %(count)s jour"),
        (_forms("%(count)s day", ""), "not translated: « %(count)s jour"),
        (_forms("%(count)s day", "days"), "other placeholders or tags: « %(count)s jour"),
    ],
)
def test_whatever_is_missing_is_named(change: Callable[[Catalog], None], fault: str) -> None:
    wanted, catalog = Catalog(), Catalog(locale="en")
    for text, said in (
        ("Un jour de <b>%(name)s</b> à {n}", "A day of <b>%(name)s</b> at {n}"),
        (("%(count)s jour", "%(count)s jours"), ("%(count)s day", "%(count)s days")),
    ):
        wanted.add(text, locations=[("pages/a.html", 0)])
        catalog.add(text, said, locations=[("pages/a.html", 0)])
    assert faults(catalog, wanted) == []
    change(catalog)
    found = faults(catalog, wanted)
    assert len(found) == 1
    assert found[0].startswith(fault)


def test_texts_come_and_go_while_what_was_said_stays() -> None:
    wanted, known = Catalog(), Catalog(locale="en")
    for text in ("Un", "Deux", ("%(count)s jour", "%(count)s jours")):
        wanted.add(text, locations=[("pages/a.html", 3)])
    known.add("Un", "One", flags={"fuzzy"}, user_comments=["Said by hand"])
    known.add("Zéro", "None")
    known.add("%(count)s jour", "%(count)s day")  # it had one form
    english, french = merged("en", known, wanted), merged("fr", Catalog(locale="fr"), wanted)
    assert [(message.id, message.string) for message in english if message.id] == [
        ("Un", "One"),
        ("Deux", ""),
        (("%(count)s jour", "%(count)s jours"), ("", "")),
    ]
    assert all(message.id == message.string for message in french if message.id)
    assert '# Said by hand\n#: pages/a.html\n#, fuzzy\nmsgid "Un"\nmsgstr "One"\n' in written("en", english)
    assert not re.search(r"\d{4}-\d\d-\d\d|Generated|html:\d", written("en", english))


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", "fr"),
        (None, "en", "en"),
        (None, "EN-us", "en"),
        (None, "en-GB,en;q=0.9,fr;q=0.8", "en"),
        (None, "fr-CA, en", "fr"),
        (None, "en, fr", "en"),
        (None, "fr;q=0.5, en;q=0.7", "en"),
        (None, "en;q=0.7, fr ; q=0.71", "fr"),
        (None, "de, en;q=0.1", "en"),
        (None, "de", "fr"),
        (None, "en;q=0", "fr"),
        (None, "fr;q=0, en;q=0.001", "en"),
        (None, "fr;q=0", "fr"),
        (None, "*", "fr"),
        (None, "fr;q=0, *", "en"),
        (None, "en;q=0.5, *;q=0.4", "en"),
        (None, "en;q=0.4, *;q=0.5", "fr"),
        (None, "en;q=0, *;q=0.5", "fr"),
        (None, "fr;q=0.2, en;q=0.1, en-GB;q=0.3", "en"),
        (None, "english", "fr"),
        (None, "en;q=2, fr;q=0.1", "fr"),
        (None, "en;q=, ;;;, =, \x00, en_GB, ü", "fr"),
        (None, "en;level=1, fr;q=0.1", "fr"),
        ("fr", "en", "fr"),
        ("en", "fr", "en"),
        ("de", "en", "en"),
        ("", "en", "en"),
        ("EN", "fr", "fr"),
    ],
)
def test_the_readers_choice_wins_then_what_the_browser_likes_best(
    cookie: str | None, accepted: str, language: str
) -> None:
    assert words.chosen(cookie, accepted) == language


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("0 remboursement", "1 remboursement", "2 remboursements")),
        ("en", ("0 reimbursements", "1 reimbursement", "2 reimbursements")),
    ],
)
def test_nothing_is_singular_in_french_and_plural_in_english(language: Language, said: tuple[str, ...]) -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.install_gettext_translations(words.translations(language), newstyle=True)  # type: ignore[attr-defined]
    template = environment.from_string(
        "{% trans count=n %}{{ count }} remboursement{% pluralize %}{{ count }} remboursements{% endtrans %}"
    )
    assert tuple(template.render(n=n) for n in range(3)) == said


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("fr", {
            "amount": (f"1{NARROW}234,50{WIDE}€", f"{MINUS}2,00{WIDE}€"),
            "long_day": ("20 novembre 2026", "1er mai 2026"),
            "short_day": ("20 sept.", "1er mai"),
            "month": ("novembre 2026", "mai 2026"),
            "month_letter": ("N", "M"),
            "numeric_day": ("20/11/2026", "01/05/2026"),
            "clock": ("14:32", "00:05"),
            "percent": (f"65{WIDE}%", f"100{WIDE}%"),
            "size": (f"340{WIDE}Ko", f"2,4{WIDE}Mo"),
        }),
        ("en", {
            "amount": ("€1,234.50", f"{MINUS}€2.00"),
            "long_day": ("20 November 2026", "1 May 2026"),
            "short_day": ("20 Sept", "1 May"),
            "month": ("November 2026", "May 2026"),
            "month_letter": ("N", "M"),
            "numeric_day": ("20/11/2026", "01/05/2026"),
            "clock": ("14:32", "00:05"),
            "percent": ("65%", "100%"),
            "size": (f"340{WIDE}KB", f"2.4{WIDE}MB"),
        }),
    ],
)  # fmt: skip
def test_dates_and_amounts_are_written_as_in_the_readers_country(
    language: Language, written: dict[str, tuple[str, str]]
) -> None:
    filters = formats.in_locale(words.LOCALES[language])
    assert filters.keys() == written.keys()
    days = (date(2026, 11, 20), date(2026, 5, 1))
    values: dict[str, tuple[object, object]] = {
        "amount": (123450, -200),
        "clock": (datetime(2026, 11, 20, 13, 32, tzinfo=UTC), datetime(2026, 5, 1, 22, 5, tzinfo=UTC)),
        "short_day": (date(2026, 9, 20), date(2026, 5, 1)),
        "percent": (65, 100),
        "size": (340_000, 2_400_000),
    }
    for name, texts_ in written.items():
        assert tuple(filters[name](value) for value in values.get(name, days)) == texts_, name


def test_a_text_that_a_language_lacks_is_shown_in_french() -> None:
    assert words.translations("en").gettext("Absent de tout catalogue") == "Absent de tout catalogue"


def test_french_is_set_as_french_is() -> None:
    assert set_in_french("Où ? Ici : « là » ; 5 %% !").count("\N{NO-BREAK SPACE}") == 7
    assert set_in_french("jusqu’à %(hour)s") == "jusqu’à %(hour)s"
    strings = [message.string for message in words.catalogue("fr") if message.id]
    shown = [form for text in strings for form in ([text] if isinstance(text, str) else text or ())]
    assert [text for text in shown if set_in_french(text) != text] == []
