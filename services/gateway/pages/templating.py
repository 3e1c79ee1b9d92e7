"""What templates have besides what a page gives them: the brand, words and formats in one language."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.gateway.assets import Assets
from services.gateway.pages import formats, words
from services.gateway.pages.words import Language
from services.gateway.qr import qr_code
from services.gateway.settings import GatewaySettings
from shared.clock import day_in_france

HERE: Final = Path(__file__).parent


def environment_of(
    settings: GatewaySettings, assets: Assets, language: Language, translations: Translations
) -> Environment:
    """Renders in `language`; what a template names and nobody gave is an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]  # i18n's own
    environment.globals.update(
        brand=settings.brand_name,
        languages=words.NAMES,
        centre={
            "name": settings.centre_name,
            "phone": settings.centre_phone,
            "phone_link": formats.phone_link(settings.centre_phone),
            "address": settings.centre_address,
        },
        spaces=settings.spaces,
        legal_links=settings.legal_links,
        password_min_length=settings.password_min_length,
        logo=assets.logo,
        static=assets.url,
        listed=_listed,
    )
    environment.filters.update(
        **formats.in_locale(words.LOCALES[language]),
        day=day_in_france,
        qr_code=qr_code,
        nir_groups=formats.nir_groups,
        pairs=_pairs,
        path_segment=lambda text: quote(text, safe=""),
    )
    return environment


def _listed(names: Iterable[str], words: Callable[[str], str]) -> list[tuple[str, str]]:
    """(name, its words): options of a list, or what a form's summary says of each field."""
    return [(name, words(name)) for name in names]


def _pairs(records: Iterable[object], value: str, text: str) -> list[tuple[Any, Any]]:
    """(`value`, `text`) of each record: options of a list."""
    return [(getattr(record, value), getattr(record, text)) for record in records]
