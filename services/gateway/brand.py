"""Whose pages these are: a colour, kept readable in light and dark, and a logo. What cannot be read is refused.

Contrast is that of WCAG 2.2 (relative luminance): 4.5 for text, 3 for what is not text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

TEXT_CONTRAST: Final = 4.5
LOGO_MAX_BYTES: Final = 100_000

_LIGHT_GROUNDS: Final = ("#ffffff", "#f4f8f8")
_DARK_GROUNDS: Final = ("#10191d", "#18242a")
"""Background and surface, as in `styles/tokens.css` (a test holds the two together)."""
_WHITE, _BLACK = "#ffffff", "#10191d"
_STEP: Final = 0.04

_LOGO_TYPES: Final = {b"<svg": ".svg", b"<?xml": ".svg", b"\x89PNG\r\n": ".png"}


class BadBrand(ValueError):
    """A colour or a logo that pages cannot be made with; the text says why."""


@dataclass(frozen=True, slots=True)
class Shades:
    """The brand's colour on one scheme's grounds: `#rrggbb` each. `on_primary` is what is written upon it."""

    primary: str
    hover: str
    on_primary: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The brand's colour on light and on dark."""

    light: Shades
    dark: Shades

    @classmethod
    def of(cls, primary: str) -> Self:
        """Both, from the colour on light grounds. Raises `BadBrand` if text in it, or upon it, could not be read."""
        worst = min(contrast(primary, ground) for ground in _LIGHT_GROUNDS)
        if worst < TEXT_CONTRAST:
            raise BadBrand(f"{primary} has a contrast of {worst:.1f} on light grounds; text needs {TEXT_CONTRAST}")
        light = Shades(primary, mixed(primary, _BLACK, 0.25), _readable_on(primary))
        lighter = primary
        while min(contrast(lighter, ground) for ground in _DARK_GROUNDS) < TEXT_CONTRAST + 2:
            lighter = mixed(lighter, _WHITE, _STEP)
        return cls(light, Shades(lighter, mixed(lighter, _WHITE, 0.25), _readable_on(lighter)))

    def style(self) -> str:
        """The style sheet that puts the brand's colour in the place of the default one."""
        light, dark = _tokens(self.light), _tokens(self.dark)
        return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def logo(path: Path) -> tuple[str, bytes]:
    """(ending, content) of a logo file: SVG or PNG by its content. Raises `BadBrand`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadBrand(f"the logo cannot be read: {error.strerror}") from None
    if len(content) > LOGO_MAX_BYTES:
        raise BadBrand(f"the logo has {len(content)} bytes; {LOGO_MAX_BYTES} at most")
    ending = next((ending for start, ending in _LOGO_TYPES.items() if content.startswith(start)), None)
    if ending is None:
        raise BadBrand("the logo is neither SVG nor PNG")
    return ending, content


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours `#rrggbb`, 1 to 21 (WCAG 2.2, 1.4.3)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mixed(one: str, other: str, part: float) -> str:
    """`one` with that part of `other` in it."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def _readable_on(ground: str) -> str:
    """White or nearly black, whichever is read better; one of them always reaches 4.5."""
    return max((_WHITE, _BLACK), key=lambda text: contrast(text, ground))


def _luminance(colour: str) -> float:
    parts = [value / 255 for value in _channels(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> Sequence[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _tokens(shades: Shades) -> str:
    return f"--primary: {shades.primary}; --primary-hover: {shades.hover}; --on-primary: {shades.on_primary};"
