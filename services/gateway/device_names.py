"""What a browser is called in the list of devices and in mails, in plain words, by its User-Agent.

Only what everybody says of a browser is kept (its family, the kind of device), never the header itself: no version, no
model. Which words identify which, by what browsers send: https://developer.mozilla.org/docs/Web/HTTP/Headers/User-Agent
"""

from collections.abc import Callable, Sequence
from typing import Final

LONGEST_READ: Final = 1000
"""Characters of the header that are looked at: real ones are far shorter."""

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What others claim to be as well comes later: all but Firefox say Safari, Edge says Chrome too."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str, _: Callable[[str], str]) -> str:
    """« Chrome sur Windows », « Safari sur iPhone »; « Navigateur » for what is not known. `_`: the reader's words."""
    header = user_agent[:LONGEST_READ]
    browser, system = _first(_BROWSERS, header), _first(_SYSTEMS, header)
    if not system:
        return browser or _("Navigateur")
    return _("%(browser)s sur %(system)s") % {"browser": browser or _("Navigateur"), "system": system}


def _first(known: Sequence[tuple[str, str]], header: str) -> str:
    return next((name for mark, name in known if mark in header), "")
