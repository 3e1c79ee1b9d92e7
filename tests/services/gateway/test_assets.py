"""Static files and pages are sent small to whoever takes gzip, and whole to whoever does not."""

from __future__ import annotations

import gzip
import re

import pytest

from tests.services.gateway.running import Gateway

pytestmark = pytest.mark.processes


async def got(gateway: Gateway, path: str, *headers: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer that must be 200."""
    status, pairs, body = await gateway.raw("\n".join([f"GET {path} HTTP/1.1", "Host: portal", *headers]))
    assert status == 200
    return dict(pairs), body


@pytest.mark.parametrize("path", ["/", "/static/portal.css", "/static/page.js", "/static/htmx-2.0.11.min.js"])
async def test_text_is_compressed_for_browsers_that_say_they_take_it(gateway: Gateway, path: str) -> None:
    plain, whole = await got(gateway, path)
    packed, small = await got(gateway, path, "Accept-Encoding: br, gzip")
    assert "content-encoding" not in plain
    assert packed["content-encoding"] == "gzip"
    assert "accept-encoding" in packed["vary"].lower()
    assert len(small) < len(whole) / 2
    if path != "/":  # a page has a token of its own each time
        assert gzip.decompress(small) == whole
    else:
        assert b"Bonjour et bienvenue" in gzip.decompress(small)


async def test_the_length_of_a_compressed_page_does_not_tell_what_is_in_it(gateway: Gateway) -> None:
    lengths = {len((await got(gateway, "/", "Accept-Encoding: gzip"))[1]) for _ in range(12)}
    assert len(lengths) > 3


async def test_one_style_sheet_serves_every_page_and_its_parts_are_not_served(gateway: Gateway) -> None:
    _, page = await got(gateway, "/")
    assert re.findall(rb'rel="stylesheet" href="/static/([\w.-]+)', page) == [b"portal.css"]
    _, style = await got(gateway, "/static/portal.css")
    assert b"modern-normalize v3.0.1 | MIT License" in style
    for missing in ("tokens.css", "styles", "htmx-2.0.11.LICENSE.txt", "..%2Fmain.py"):
        status, _, _ = await gateway.raw(f"GET /static/{missing} HTTP/1.1\nHost: portal")
        assert status == 404, missing


async def test_the_components_are_shown_to_developers_only(gateway: Gateway) -> None:
    status, _, _ = await gateway.raw("GET /composants HTTP/1.1\nHost: portal")
    assert status == 404
    with Gateway(COMPONENTS_PAGE="true") as developing:
        _, page = await got(developing, "/composants")
        assert b"One of several, with an error" in page
