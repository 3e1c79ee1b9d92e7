"""The forms of personal pages that outlive a session: what is kept of each, and what shows it again."""

import re
from typing import Final

from services.gateway.pages import (
    account,
    confirm,
    devices,
    documents,
    first_sign_in,
    identifier,
    messages,
    reimbursements,
)
from services.gateway.pages.keeping import KeptForm
from services.gateway.pages.reimbursement_filters import Filters

_CONSENTS: Final = ("decomptes", "informations")

KEPT_FORMS: Final = (
    KeptForm(re.compile("/messages/nouveau"), ("category", "subject", "text", "once"), messages.show_new),
    KeptForm(re.compile("/messages/[^/]+"), ("text", "once"), messages.show_reply),
    KeptForm(
        re.compile("/documents/envoyer"),
        ("envoi", "kind", "beneficiary_rank", "amount", "care_date", "comment"),
        documents.show,
        "file",
    ),
    KeptForm(re.compile("/remboursements"), tuple(Filters.model_fields), reimbursements.show, "filters"),
    KeptForm(re.compile("/premiere-connexion"), ("choix", "email", *_CONSENTS), first_sign_in.show, "step"),
    KeptForm(
        re.compile("/premiere-connexion/mot-de-passe"), (), first_sign_in.show, "passwords", "/premiere-connexion"
    ),
    KeptForm(re.compile("/compte/mails"), (*_CONSENTS, "langue"), account.show_mails, "choice", "/compte"),
    KeptForm(re.compile("/compte/appareils/fermer(-les-autres)?"), (), devices.show, "button", devices.HERE),
    KeptForm(re.compile("/compte/identifiant"), ("choix", "email"), identifier.show, "choice"),
    KeptForm(re.compile("/compte/confirmer"), ("suite",), confirm.show, "passwords"),
    KeptForm(re.compile("/compte/mot-de-passe"), (), account.show_password, "passwords"),
)
"""The first whose `action` is the path of the form."""
