"""Mes clés d'accès, and a device that has them: Chromium's virtual authenticator."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class VirtualAuthenticator:
    """Of one page (https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn): it always knows its owner."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        self._id = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def knows_its_owner(self, yes: bool) -> None:
        """Whether the finger is the right one; if not, it gives up at once."""
        self._session.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": yes})

    @property
    def kept(self) -> int:
        """How many passkeys it has."""
        return len(self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})["credentials"])


class PasskeysPage:
    """`/compte/cles-d-acces`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Mes clés d’accès")

    @classmethod
    def open(cls, page: Page) -> PasskeysPage:
        """From « Mon compte »."""
        page.goto("/compte")
        page.get_by_role("link", name="Mes clés d’accès").click()
        return cls(page)

    @property
    def rows(self) -> Locator:
        return self.page.locator("main .devices").get_by_role("listitem")

    def rename(self, name: str, new: str) -> None:
        self.page.get_by_role("link", name=f"Renommer ou supprimer {name}").click()
        self.page.get_by_label("Nom de la clé d’accès").fill(new)
        self.page.get_by_role("button", name="Enregistrer le nom").click()
        expect(self.page.get_by_text("Le nom de la clé d’accès est enregistré.")).to_be_visible()

    def remove(self, name: str) -> None:
        """In a session that was confirmed."""
        self.page.get_by_role("link", name=f"Renommer ou supprimer {name}").click()
        self.page.get_by_role("link", name="Supprimer").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Supprimer cette clé d’accès")
        self.page.get_by_role("button", name="Supprimer la clé d’accès").click()
        expect(self.page.get_by_text("La clé d’accès est supprimée.")).to_be_visible()


class AddPasskeyPage:
    """`/compte/cles-d-acces/ajouter`"""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("heading", level=1)).to_have_text("Ajouter une clé d’accès")

    @property
    def name(self) -> Locator:
        return self.page.get_by_label("Nom de la clé d’accès")

    @property
    def create(self) -> Locator:
        return self.page.get_by_role("button", name="Créer ma clé d’accès")
