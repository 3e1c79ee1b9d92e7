"""Composition root of documents: settings in, running service out."""

from typing import Final

from fastapi import FastAPI

from services.documents.settings import DocumentsSettings
from shared.app import serve
from shared.backbone import Backbone
from shared.objects import ObjectStore
from shared.settings import load

SERVICE = "documents"
ACCEPTED: Final = "documents-accepted"


def build(settings: DocumentsSettings) -> FastAPI:
    """Wire the service; production and tests call this alike."""
    backbone = Backbone(SERVICE, settings, {})
    return backbone.app([], [], [ObjectStore(settings, probe_bucket=ACCEPTED)])


def main() -> None:
    """Run until told to stop."""
    settings = load(DocumentsSettings, SERVICE)
    serve(build(settings), settings)
