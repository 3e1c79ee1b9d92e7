"""Mes documents: a member sends invoices, sees what becomes of them, and finds what the insurer delivers."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from minio import Minio
from playwright.sync_api import FilePayload, Page, expect

from deploy.topology import REGION
from tests.e2e.conftest import screens, sign_in_newcomer
from tests.e2e.outside import PASSWORD, Newcomer, Outside
from tests.e2e.pages.documents import DocumentsPage, SendPage
from tests.e2e.pages.first_sign_in import HomePage
from tests.services.documents.conftest import JPEG, PDF, sha256
from tests.stack import RealServers

pytestmark = [pytest.mark.browser, pytest.mark.servers]

INVOICE = FilePayload(name="Facture opticien été.pdf", mimeType="application/pdf", buffer=PDF)
PHOTO = FilePayload(name="IMG_0001.jpg", mimeType="image/jpeg", buffer=JPEG * 20_000)
PROGRAM = FilePayload(name="facture.pdf", mimeType="application/pdf", buffer=b"MZ a program" * 500)


def test_an_invoice_is_sent_followed_live_and_downloaded(outside: Outside, member: Newcomer, page: Page) -> None:
    page.get_by_role("link", name="Mes documents", exact=True).click()
    documents = DocumentsPage(page)
    expect(page.get_by_text("Aucun document pour l’instant.")).to_be_visible()
    screens(page, "documents-vide")
    form = documents.send_one()
    form.fill(
        "Une facture", "Hugo", INVOICE, Montant_en_euros="123,50", Date_des_soins="2026-11-12", Commentaire="Bonjour"
    )
    screens(page, "documents-envoyer")
    form.send()
    expect(page.get_by_text("Votre facture est bien arrivée.")).to_be_visible()
    expect(page.get_by_text("Nous vous répondons sous 5 jours ouvrés.")).to_be_visible()
    expect(documents.rows).to_contain_text(["Facture · Hugo"])
    expect(documents.rows.first).to_contain_text("En cours de traitement")  # by itself, once the intake has seen it
    screens(page, "documents-liste")

    documents.open_first()
    expect(page.get_by_role("heading", level=1)).to_have_text("Facture, Hugo")
    for said in ("Facture opticien été.pdf", "123,50", "12 novembre 2026", "Bonjour", "sous 5 jours ouvrés"):
        expect(page.locator("main")).to_contain_text(said)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Télécharger")).click()
    assert download.value.suggested_filename == "Facture opticien été.pdf"
    assert Path(download.value.path()).read_bytes() == PDF

    page.evaluate("window.notReloaded = true")
    document_id = page.url.rpartition("/")[2]
    decision = {"member_number": member.member_number, "document_id": document_id}
    outside.publish(
        "DocumentProcessed", decision | {"outcome": "refused", "reason": "La date des soins est illisible."}
    )
    expect(page.get_by_text("La date des soins est illisible.")).to_be_visible()
    expect(page.get_by_role("link", name="Envoyer à nouveau")).to_be_visible()
    screens(page, "document-refuse")
    outside.publish("DocumentProcessed", decision | {"outcome": "accepted"})
    expect(page.get_by_text("Votre centre de gestion a accepté ce document.")).to_be_visible()
    expect(page.locator("[data-live-said]")).to_have_text("Votre document a été mis à jour.")
    assert page.evaluate("window.notReloaded") is True
    screens(page, "document-accepte")


def test_what_was_typed_survives_a_refused_file_with_and_without_a_script(
    outside: Outside, new_page: Callable[..., Page]
) -> None:
    newcomer = outside.enrol()
    for script in (False, True):
        page = new_page(java_script_enabled=script, color_scheme="dark" if script else "light")
        if script:
            HomePage(page).open().sign_in(newcomer.member_number, PASSWORD)
        else:
            sign_in_newcomer(page, newcomer)
        page.get_by_role("link", name="Mes documents", exact=True).click()
        form = DocumentsPage(page).send_one()
        form.fill("Une ordonnance", "Hugo", PROGRAM, Montant_en_euros="12", Commentaire="Deux pages")
        form.send()
        expect(form.alert).to_contain_text("Ce type de fichier n’est pas accepté.")
        expect(page.get_by_label("Commentaire")).to_have_value("Deux pages")
        screens(page, f"documents-erreur-{'sombre' if script else 'clair'}")
        form.fill("Une ordonnance", "Hugo", PHOTO, Montant_en_euros="beaucoup")
        form.send()
        expect(form.alert).to_contain_text("Saisissez un montant en euros, par exemple 23,50.")
        expect(form.alert).to_contain_text("Choisissez aussi le fichier à nouveau")
        form.fill("Une ordonnance", "Hugo", PHOTO, Montant_en_euros="12")
        form.send()
        expect(page.get_by_text("Votre ordonnance est bien arrivée.")).to_be_visible()
        rows = DocumentsPage(page).rows
        expect(rows).to_have_count(2 if script else 1)
        if script:
            screens(page, "documents-liste-sombre")


def test_a_file_that_is_too_large_is_not_even_sent(member: Newcomer, page: Page) -> None:
    page.goto("/documents/envoyer")
    form = SendPage(page)
    form.fill("Un devis", "Laure", None)
    page.evaluate(
        "() => { const files = new DataTransfer(); files.items.add(new File([new ArrayBuffer(20000001)], 'a.pdf'));"
        " document.getElementById('file').files = files.files; }"
    )
    form.send()
    expect(page.locator("[data-upload-error]")).to_contain_text("Ce fichier est trop lourd : 20 Mo au plus.")


def test_what_the_insurer_delivers_appears_by_itself(
    outside: Outside, member: Newcomer, page: Page, infra: RealServers
) -> None:
    page.goto("/documents")
    documents = DocumentsPage(page)
    documents.wait_for_stream()
    minio = infra.servers.minio
    casework = Minio(minio.endpoint, "casework", minio.secret_keys["casework"], secure=False, region=REGION)
    name = f"{member.member_number}.pdf"
    casework.put_object("deliveries", name, io.BytesIO(PDF), len(PDF))
    delivery = {"document_id": "a-1", "kind": "attestation", "title": "Attestation de droits 2027"}
    place = {"bucket": "deliveries", "object": name, "sha256": sha256(PDF)}
    outside.publish("DocumentDelivered", {"member_number": member.member_number, **delivery, **place})
    expect(documents.rows.first).to_contain_text("Attestation de droits 2027")
    expect(documents.rows.first).to_contain_text("Envoyé par votre centre de gestion")
    documents.open_first()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Télécharger")).click()
    assert download.value.suggested_filename == "Attestation de droits 2027.pdf"
    screens(page, "document-recu")
