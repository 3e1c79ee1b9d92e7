"""`python -m deploy.words`: bring the catalogues of the pages up to the texts, and say what English still lacks."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import generate_po

from services.gateway.pages import words
from services.gateway.pages.words import Language

GATEWAY: Final = Path(words.__file__).resolve().parents[1]
_METHODS: Final = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
_JINJA: Final = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true", "silent": "false"}
_WIDTH: Final = 120

_MARK = re.compile(r"%\(\w+\)s|%%|\{\w*\}|</?\w[^<>]*>")
"""What a translation must keep: names of values, and tags."""
_LOOSE = re.compile(r'[%<>"]|&(?!\w+;)')
"""What may not stand beside them: texts are HTML, in attributes too, and a percent sign is doubled."""


def texts() -> Catalog:
    """Every text of the gateway, from its templates and its Python, in order of files and lines."""
    catalog = Catalog()
    for file, _, text, _, context in extract_from_dir(GATEWAY, _METHODS, {"**.html": _JINJA}):
        catalog.add(text, locations=[(file, 0)], context=context)
    return catalog


def set_in_french(text: str) -> str:
    """`text` with spaces that do not break before « ? ! : ; » and inside quotation marks, as French is set."""
    return re.sub(r" (?=[?!:;»]|%%)|(?<=«) ", "\N{NO-BREAK SPACE}", text)


def merged(language: Language, known: Catalog, wanted: Catalog) -> Catalog:
    """Just the `wanted` texts, each as `known` has it; a new one stands for itself in French, is empty elsewhere."""
    catalog = Catalog(locale=language)
    for message in _messages(wanted):
        old = known.get(message.id, message.context)
        if old is None or old.id != message.id:  # a text of one form that has two now is a new one
            old = Message(message.id, _in_french(message.id) if language == words.SOURCE else "")
        catalog.add(
            message.id,
            old.string,
            message.locations,
            {"fuzzy"} & old.flags,
            user_comments=old.user_comments,
            context=message.context,
        )
    return catalog


def written(language: Language, catalog: Catalog) -> str:
    """The file of a catalogue: no dates and no line numbers, so that it changes only with its words."""
    header = (
        f"# {words.NAMES[language]}. Texts come and go with `make words`; each msgstr is what pages show.\n"
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    )
    lines = generate_po(catalog, width=_WIDTH, include_lineno=False, ignore_obsolete=True, omit_header=True)
    return header + "".join(lines).rstrip("\n") + "\n"


def faults(catalog: Catalog, wanted: Catalog) -> list[str]:
    """Everything that keeps `catalog` from being exactly the `wanted` texts, whole; each names its text."""
    found = []
    for message in _messages(wanted):
        here = catalog.get(message.id, message.context)
        if here is None or here.id != message.id:
            found.append(f"not in the catalogue: {_named(message)}")
        else:
            found += [f"{fault}: {_named(message)}" for fault in _faults_of(here, catalog.num_plurals)]
    unused = [message for message in _messages(catalog) if wanted.get(message.id, message.context) is None]
    return found + [f"unused: {_named(message)}" for message in (*unused, *catalog.obsolete.values())]


def _faults_of(message: Message, plurals: int) -> Iterator[str]:
    ids, strings = _forms(message.id), _forms(message.string)
    if message.fuzzy:
        yield "fuzzy"
    if len(strings) != (plurals if message.pluralizable else 1):
        yield "wrong number of plural forms"
    if not all(string.strip() for string in strings):
        yield "not translated"
        return
    for place, string in enumerate(strings):
        if Counter(_MARK.findall(string)) != Counter(_MARK.findall(ids[min(place, len(ids) - 1)])):
            yield "other placeholders or tags"
        if _LOOSE.search(_MARK.sub("", string)):
            yield 'a loose %, <, >, " or &'


def _in_french(text: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    return set_in_french(text) if isinstance(text, str) else tuple(set_in_french(form) for form in text)


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)  # the one without an id is the header


def _forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (list, tuple)) else (text or "",)


def _named(message: Message) -> str:
    return f"« {_forms(message.id)[0]} » ({', '.join(dict.fromkeys(file for file, _ in message.locations))})"


def main() -> None:
    """Write both catalogues, then say what is wrong with them."""
    wanted = texts()
    for language, name in words.NAMES.items():
        catalog = merged(language, words.catalogue(language), wanted)
        words.file_of(language).write_text(written(language, catalog), encoding="utf-8")
        found = faults(catalog, wanted)
        print(f"{name}: {len(catalog)} texts" + (f", {len(found)} to see to" if found else ", complete"))
        print("".join(f"  {fault}\n" for fault in found), end="")


if __name__ == "__main__":
    main()
