"""A brand: its colour is readable everywhere or refused, its logo and links are on every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import brand
from services.gateway.assets import FOLDER
from services.gateway.brand import BadBrand, Palette, contrast
from tests.services.gateway.running import Gateway, gateway_settings

TOKENS = (FOLDER / "styles" / "tokens.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))
    for part in TOKENS.split("@media screen and (prefers-color-scheme: dark)")
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8"/></svg>'


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_of_text_is_read_on_every_ground_it_stands_on(tokens: dict[str, str]) -> None:
    for ground in ("background", "surface"):
        for text in ("text", "muted", "primary", "primary-hover", "danger", "success", "warning", "info"):
            assert contrast(tokens[text], tokens[ground]) >= 4.5, (text, ground)
        assert contrast(tokens["field-border"], tokens[ground]) >= 3, ground
    for kind in ("danger", "success", "warning", "info"):
        assert contrast(tokens[kind], tokens[f"{kind}-ground"]) >= 4.5, kind
        assert contrast(tokens["text"], tokens[f"{kind}-ground"]) >= 4.5, kind
    for ground in ("primary", "primary-hover"):
        assert contrast(tokens["on-primary"], tokens[ground]) >= 4.5, ground


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#0b6e6e", "#ffffff") == pytest.approx(6.1, abs=0.05)


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_any_brand_is_readable_in_light_and_dark_or_refused(primary: str) -> None:
    try:
        palette = Palette.of(primary)
    except BadBrand:
        assert min(contrast(primary, LIGHT[ground]) for ground in ("background", "surface")) < 4.5
        return
    for shades, tokens in ((palette.light, LIGHT), (palette.dark, DARK)):
        for ground in ("background", "surface"):
            assert contrast(shades.primary, tokens[ground]) >= 4.5
            assert contrast(shades.hover, tokens[ground]) >= 4.5
        assert contrast(shades.on_primary, shades.primary) >= 4.5


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("brand_primary", "#ffd500", "contrast"),
        ("brand_primary", "teal", "pattern"),
        ("brand_logo_file", "/nowhere/logo.svg", "cannot be read"),
        ("brand_logo_file", __file__, "neither SVG nor PNG"),
        ("legal_links", [{"name": "X", "url": "javascript:alert(1)"}], "URL scheme"),
    ],
)
def test_a_brand_that_pages_cannot_be_made_with_stops_the_start(name: str, value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        gateway_settings(**{name: value})


def test_a_logo_has_a_size_that_a_page_can_carry(tmp_path: Path) -> None:
    large = tmp_path / "logo.svg"
    large.write_text(SVG + " " * brand.LOGO_MAX_BYTES)
    with pytest.raises(BadBrand, match="bytes"):
        brand.logo(large)


@pytest.mark.processes
async def test_a_second_brand_has_its_colour_its_logo_and_its_links_on_the_page(tmp_path: Path) -> None:
    logo = tmp_path / "anything"
    logo.write_text(SVG)
    links = '[{"name": "Mentions légales", "url": "https://mutuelle.example/mentions"}]'
    with Gateway(
        BRAND_NAME="Mutuelle du Port", BRAND_PRIMARY="#7a1f5c", BRAND_LOGO_FILE=str(logo), LEGAL_LINKS=links,
        CENTRE_NAME="Centre du Port", CENTRE_PHONE="02 61 91 00 00",
    ) as other:  # fmt: skip
        _, _, body = await other.raw("GET / HTTP/1.1\nHost: portal")
        page = body.decode()
        assert "Bonjour et bienvenue sur le portail Mutuelle du Port" in page
        assert 'href="https://mutuelle.example/mentions">Mentions légales</a>' in page
        assert 'href="tel:0261910000"' in page
        assert "Plansanté" not in page
        addresses = {name: address for address, name in re.findall(r'"(/static/([\w.-]+)\?v=\w+)"', page)}
        _, headers, served = await other.raw(f"GET {addresses['logo.svg']} HTTP/1.1\nHost: portal")
        assert (dict(headers)["content-type"], served.decode()) == ("image/svg+xml", SVG)
        _, _, style = await other.raw(f"GET {addresses['portal.css']} HTTP/1.1\nHost: portal")
        light, dark = re.findall(r"--primary: (#[0-9a-f]{6}); --primary-hover", style.decode())
        assert light == "#7a1f5c"
        assert contrast(dark, DARK["background"]) >= 4.5
