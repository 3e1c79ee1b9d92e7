"""What every page is held to; each measure answers its faults, a line each, so that one run tells them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

HERE: Final = Path(__file__).parent
SHIFTS: Final = (HERE / "shifts.js").read_text()
"""For `add_init_script`."""
_MEASURES: Final = (HERE / "measures.js").read_text()
_CONTROLS: Final = {"button", "checkbox", "combobox", "link", "radio", "searchbox", "spinbutton", "textbox", "Date"}
_AXE: Final = Axe()


def axe(page: Page) -> list[str]:
    """Every rule of axe-core: rule, what it says, and the elements."""
    violations = _AXE.run(page).response["violations"]
    return [f"axe {one['id']}: {_nodes(one)}" for one in violations]


def _nodes(violation: dict[str, Any]) -> str:
    found = [f"{node['target'][0]} ({_why(node)})" for node in violation["nodes"]]
    return "; ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")


def _why(node: dict[str, Any]) -> str:
    return str(node["failureSummary"]).partition("\n")[2].strip().replace("\n", ",")[:160]


def targets(page: Page) -> list[str]:
    """Smaller than 44 × 44 CSS px, unless it is a link in a sentence (WCAG 2.5.5)."""
    return _measured(page, "targets")


def shifts(page: Page) -> list[str]:
    """What moved without the reader's doing; needs `SHIFTS` in the page from the beginning."""
    return _measured(page, "shifts")


def basics(page: Page) -> list[str]:
    """Sideways scrolling; under 18 px in what is read, 16 px for small print; controls that could not be named."""
    return [*_measured(page, "basics"), *_nameless(page)]


def spoilt(page: Page) -> list[str]:
    """Text that is cut off, or lies upon other text; sideways scrolling."""
    return _measured(page, "spoilt")


def structure(page: Page, language: str) -> list[str]:
    """One title, in the page and of the page, and the language it is in."""
    said = page.locator("html").get_attribute("lang")
    wrong = [] if said == language else [f"the page says it is in « {said} »"]
    return [*_measured(page, "structure"), *wrong]


def _nameless(page: Page) -> list[str]:
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    controls = [node for node in nodes if not node["ignored"] and node["role"]["value"] in _CONTROLS]
    return [f"a {node['role']['value']} without a name" for node in controls if not node["name"]["value"].strip()]


def _measured(page: Page, what: str) -> list[str]:
    return [str(fault) for fault in page.evaluate(_MEASURES, what)]
