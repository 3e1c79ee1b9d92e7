"""No words of a page stand anywhere but in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from deploy.words import GATEWAY

TEMPLATES = sorted(path for path in GATEWAY.glob("pages/**/*.html") if path.name != "components.html")
"""All but the page for developers, which no member sees."""
NOT_WORDS = frozenset({"R", "SP", "IS", "OC", "SP/OC", "LAURE DUPONT"})
"""What stands in templates as it is, in any language: the marks of the printed card, and the name on its picture."""
SHOWN = re.compile(r"aria-label|aria-description|aria-roledescription|alt|title|placeholder|data-.*")
"""Attributes whose values are read to somebody, or shown by a script."""
_CODE = re.compile(r"[a-z0-9_./:|,-]*|[A-Z]+|%Y-%m")
"""Values that are no words: names, paths, codes."""
_WORD = re.compile(r"[A-Z]?[a-zà-ÿœ’]+(?: |$|[.,?!:])|[À-ÿœ]")
_ASKED = {"_", "gettext", "ngettext", "pgettext", "npgettext"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_words_stand_in_a_template_outside_the_catalogue(template: Path) -> None:
    assert list(_loose_words(template.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "loose"),
    [
        ("<p>Bonjour</p>", ["Bonjour"]),
        ('<p>{{ _("Bonjour") }} à</p>', ["0 à"]),
        ('<p title="Nom">1 · 2 –</p>', ["Nom"]),
        ('<input placeholder="nom">', ["nom"]),
        ('<p data-many="{n} jours">', ["{n} jours"]),
        ('{% set title = "Mon compte" %}', ["Mon compte"]),
        ("{{ {'a': 'Prénom'}.a }}", ["Prénom"]),
        ('{{ _("Nom") ~ " Prénom" }}', [" Prénom"]),
        ('<p class="a" data-live data-order="{{ a }}|{{ b }}">{% trans n=a %}Nom{% pluralize %}Noms{% endtrans %}', []),
        ('{% set of = {"claim": _("Nom"), "PHAR": _("Nom")}[a.get("kind")] %}', []),
        ('<abbr title="{{ _(\'Nom\') }}">R</abbr>', []),
    ],
)  # fmt: skip
def test_words_outside_the_catalogue_are_seen(source: str, loose: list[str]) -> None:
    assert list(_loose_words(source)) == loose


def _loose_words(source: str) -> Iterator[str]:
    """Words in the HTML between Jinja's marks, and in the expressions of Jinja outside `_()` and `{% trans %}`."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    reader = _Reader()
    reader.feed(_html(environment, source))
    reader.close()
    yield from reader.loose
    tree = environment.parse(source)
    asked = {id(text) for call in tree.find_all(nodes.Call) if _is_asked(call) for text in call.find_all(nodes.Const)}
    for text in tree.find_all(nodes.Const):
        if (
            isinstance(text.value, str)
            and id(text) not in asked
            and _WORD.search(text.value)
            and not _is_code(text.value)
        ):
            yield text.value


def _is_asked(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name in _ASKED


def _is_code(text: str) -> bool:
    return all(_CODE.fullmatch(part) for part in text.split())


def _html(environment: Environment, source: str) -> str:
    """The template without Jinja: of `{% trans %}` nothing stays, of an expression a sign."""
    kept, in_trans, block = [], False, ""
    for _, kind, value in environment.lex(source):
        if kind == "block_begin":
            block = ""
        elif kind == "block_end":
            in_trans = block == "trans" or (in_trans and block != "endtrans")
        elif kind == "name":
            block = block or value
        elif kind == "variable_begin" and not in_trans:
            kept.append("0")
        elif kind == "data" and not in_trans:
            kept.append(value)
    return "".join(kept)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loose: list[str] = []

    def handle_data(self, data: str) -> None:
        text = re.sub(r'[a-z-]+="[^"]*"', "", data).strip()  # attributes kept in a variable, for a tag further on
        if any(letter.isalpha() for letter in text) and text not in NOT_WORDS:
            self.loose.append(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            shown = SHOWN.fullmatch(name) and value and any(letter.isalpha() for letter in value)
            if shown and not (name.startswith("data-") and _is_code(value or "")):
                self.loose.append(value or "")


def test_no_words_stand_in_a_script() -> None:
    for script in GATEWAY.glob("static/*.js"):
        if ".min." not in script.name:
            code = re.sub(r"(^|\s)//.*$", "", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert not re.search("[À-ÿœ’«»…]", code), script.name
