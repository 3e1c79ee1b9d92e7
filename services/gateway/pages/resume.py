"""The forms of personal pages that outlive a session: what is kept of each, and what shows it again."""

import re
from typing import Final

from services.gateway.pages import (
    account,
    card_shares,
    confirm,
    devices,
    documents,
    first_sign_in,
    identifier,
    messages,
    passkeys,
    reimbursements,
    second_factor,
    two_steps,
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
    KeptForm(re.compile("/carte/partages(/arreter)?"), (), card_shares.show, "button", card_shares.HERE),
    KeptForm(re.compile(passkeys.ADD), ("nom",), passkeys.show_adding, "choice"),
    KeptForm(re.compile(f"{passkeys.HERE}/[0-9a-f-]+"), ("nom",), passkeys.show_naming, "choice"),
    KeptForm(re.compile(f"{passkeys.HERE}/[0-9a-f-]+/supprimer"), (), passkeys.show_list, "button", passkeys.HERE),
    KeptForm(re.compile("/compte/identifiant"), ("choix", "email"), identifier.show, "choice"),
    KeptForm(re.compile("/compte/confirmer"), ("suite",), confirm.show, "passwords"),
    KeptForm(re.compile("/compte/mot-de-passe"), (), account.show_password, "passwords"),
    KeptForm(re.compile("/connexion/code"), ("suite",), second_factor.show, "code"),
    KeptForm(re.compile("/compte/deux-etapes/activer"), (), two_steps.show_setup, "code"),
    KeptForm(re.compile("/compte/deux-etapes/codes"), (), two_steps.show_codes, "button"),
    KeptForm(re.compile("/compte/deux-etapes/desactiver"), (), two_steps.show_off, "button"),
)
"""The first whose `action` is the path of the form."""
