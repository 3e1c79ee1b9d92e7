"""The list: one line a page or state. A new page is a new line here, and is then held to everything at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

from tests.e2e.gallery.acts import (
    ASKED,
    LOST,
    NOBODY,
    ask_too_often,
    cannot_show,
    confirm,
    confirm_for,
    forget,
    more_filters,
    nearly_over,
    opened_before_the_end,
    shows_to_be_no_robot,
    take_the_idea,
    with_a_recovery_code,
    with_a_strange_passkey,
    without_csrf,
    without_session,
)
from tests.e2e.gallery.cast import EMPTY, ENDED, FULL, GUARDED, HALF, LETTER, NEW, NEXT, SHORT, WAITING


@dataclass(frozen=True)
class State:
    """How to get there: `path` opened by `who`; then `typed`, by name of the field, sent `times` times.

    `path` and `typed` may hold `{names}` of `Cast.ids`. `form`: the form's action, without one the page's path.
    `before`: done before the form is sent. `away`: the service that is stopped meanwhile. `status`: the page's.
    `last`: the browser is of no use afterwards.
    """

    name: str
    path: str
    who: str = ""
    typed: Mapping[str, str] | None = None
    form: str = ""
    times: int = 1
    status: int = 200
    before: Callable[[Page], None] | None = None
    away: str = ""
    last: bool = False


WRONG: Final = {"identifiant": NOBODY, "mot_de_passe": "pas le bon mot"}
TWICE: Final = {"nouveau_mot_de_passe": "motdepasse2026", "confirmation": "motdepasse2026"}
TEXT: Final = {"text": "Bonjour"}
DIFFERENT: Final = {"nouveau_mot_de_passe": "quatre mots bleus", "confirmation": "autre chose"}
FIRST, CHANGE = "/premiere-connexion", "/compte/mot-de-passe"
CONFIRM, IDENTIFIER, UNDO = "/compte/confirmer", "/compte/identifiant", "/annuler-changement"
PASSKEYS: Final = "/compte/cles-d-acces"
RESET, SEND, WRITE = "/nouveau-mot-de-passe", "/documents/envoyer", "/messages/nouveau"
UNLOCK: Final = "/deblocage"
LISTED: Final = "/remboursements"
BACKWARDS: Final = {"du": "2026-12-01", "au": "2026-01-01"}
CODE, TWO_STEPS = "/connexion/code", "/compte/deux-etapes"
SETUP, CODES, OFF = f"{TWO_STEPS}/activer", f"{TWO_STEPS}/codes", f"{TWO_STEPS}/desactiver"

STATES: Final = (
    # Signing in
    State("connexion", "/"),
    State("connexion-retour", "/?suite=%2Fremboursements"),
    State("connexion-vide", "/", typed={}, status=422),
    State("connexion-erreur", "/", typed=WRONG, status=422),
    State("connexion-cle-refusee", "/", typed={}, before=with_a_strange_passkey, status=422),
    State("connexion-bloquee", "/", typed=WRONG, times=2, status=422),
    # The code after the password
    State("code", CODE, HALF),
    State("code-erreur", CODE, HALF, typed={"code": "12"}, status=422),
    State("code-secours", CODE, HALF, before=with_a_recovery_code),
    # The first time
    State("choix", FIRST, NEW),
    State("choix-erreurs", FIRST, NEW, typed=DIFFERENT | {"email": "pas une adresse"}, status=422),
    State("choix-mot-de-passe-connu", FIRST, NEW, typed=TWICE | {"choix": "member_number"}, status=422),
    State("confirmation", FIRST, WAITING),
    State("confirmation-renvoyee", f"{FIRST}?renvoi=fait", WAITING),
    State("confirmation-trop", f"{FIRST}?renvoi=trop", WAITING),
    State("choix-autrement", f"{FIRST}?choix=1", WAITING),
    State("activation", "/activation?token=x"),
    State("activation-perimee", "/activation?token=x", typed={}, status=410),
    State("activation-servie", "/activation?token={used_activation}", typed={}, status=409),
    State("activation-sans-lien", "/activation", status=410),
    State("identifiant-valide", "/identifiant-valide"),
    State("identifiant-valide-connecte", "/identifiant-valide", FULL),
    # A lost password
    State("perdu", LOST),
    State("perdu-erreurs", LOST, typed={"securite_sociale": "2 84"}, status=422),
    State("perdu-verifie", LOST, before=shows_to_be_no_robot),
    State("perdu-non-verifie", LOST, typed=ASKED, before=cannot_show, status=422),
    State("perdu-demande", LOST, typed=ASKED),
    State("identifiant-oublie", "/identifiant-oublie"),
    State("nouveau-mot-de-passe", f"{RESET}?token=x"),
    State("nouveau-mot-de-passe-idee", f"{RESET}?token=x", before=take_the_idea),
    State("nouveau-mot-de-passe-erreurs", f"{RESET}?token=x", typed=DIFFERENT, form=RESET, status=422),
    State("nouveau-mot-de-passe-perime", RESET, status=410),
    State("nouveau-mot-de-passe-servi", f"{RESET}?token={{used_reset}}", typed=TWICE, form=RESET, status=409),
    State("nouveau-mot-de-passe-fait", f"{RESET}/fait"),
    # A blocked access
    State("deblocage", f"{UNLOCK}?token=x"),
    State("deblocage-perime", f"{UNLOCK}?token=x", typed={}, form=UNLOCK, status=410),
    State("deblocage-servi", f"{UNLOCK}?token={{used_unlock}}", typed={}, form=UNLOCK, status=409),
    State("deblocage-fait", f"{UNLOCK}/fait"),
    State("provisoire", FIRST, LETTER),
    State("provisoire-erreurs", FIRST, LETTER, typed=DIFFERENT, form=f"{FIRST}/mot-de-passe", status=422),
    # Accueil and Mes remboursements
    State("accueil", "/accueil", FULL),
    State("accueil-vide", "/accueil", EMPTY),
    State("remboursements", "/remboursements", FULL),
    State("remboursements-vide", "/remboursements", EMPTY),
    State("remboursements-suite", "/remboursements?suite={older}", FULL),
    State("remboursements-filtres", LISTED, FULL, typed={"pour": "2", "recherche": "verres"}, before=more_filters),
    State("remboursements-aucun", LISTED, FULL, typed={"recherche": "introuvable"}, before=more_filters),
    State("remboursements-filtres-erreurs", LISTED, FULL, typed=BACKWARDS, before=more_filters, status=422),
    State("remboursement-recu", "/remboursements/R-received", FULL),
    State("remboursement-paye", "/remboursements/R-paid", FULL),
    State("remboursement-refuse", "/remboursements/R-refused", FULL),
    State("remboursement-annule", "/remboursements/R-reversed", FULL),
    State("remboursement-annulation", "/remboursements/R-reversal", FULL),
    State("remboursement-tiers", "/remboursements/R-provider", FULL),
    State("remboursement-trop-percu", "/remboursements/R-overpaid", FULL),
    State("remboursement-retenue", "/remboursements/R-deducted", FULL),
    State("remboursement-autres", "/remboursements/R-others", FULL),
    State("remboursement-beneficiaire-inconnu", "/remboursements/R-unknown", FULL),
    State("annee", "/remboursements/annee?annee=2026", FULL),
    State("annee-negative", "/remboursements/annee?annee=2025", FULL),
    State("annee-sans", "/remboursements/annee?annee=2023", FULL),
    State("annee-vide", "/remboursements/annee", EMPTY),
    State("decomptes", "/decomptes", FULL),
    State("decomptes-sans", "/decomptes?annee=2023", FULL),
    State("decomptes-vide", "/decomptes", EMPTY),
    # Ma carte
    State("carte", "/carte", FULL),
    State("carte-prochaine", "/carte?le={next}", FULL),
    State("carte-aucune", "/carte", EMPTY),
    State("carte-plein-ecran", "/carte/plein-ecran", FULL),
    State("carte-partages", "/carte/partages?fait=lien", FULL),
    State("carte-partages-trop", "/carte/partages?fait=trop", FULL),
    State("carte-partages-aucun", "/carte/partages?fait=arrete", EMPTY),
    State("carte-partagee", "/carte-partagee/{shared}"),
    State("carte-partagee-vue", "/carte-partagee/{shared}", typed={}),
    State("carte-partagee-finie", "/carte-partagee/x", status=410),
    # Mes documents
    State("documents", "/documents", FULL),
    State("documents-vide", "/documents", EMPTY),
    State("documents-envoye", "/documents?envoye=invoice", FULL),
    State("document-en-cours", "/documents/{submitted}", FULL),
    State("document-refuse", "/documents/{refused}", FULL),
    State("document-accepte", "/documents/{accepted}", FULL),
    State("document-recu", "/documents/{delivered}", FULL),
    State("envoyer", SEND, FULL),
    State("envoyer-erreurs", SEND, FULL, typed={"amount": "beaucoup"}, status=422),
    # Mes messages
    State("messages", "/messages", FULL),
    State("messages-vide", "/messages", EMPTY),
    State("ecrire", WRITE, FULL),
    State("ecrire-erreurs", WRITE, FULL, typed={}, status=422),
    State("fil", "/messages/{read}", FULL),
    State("fil-erreur", "/messages/{read}", FULL, typed={}, status=422),
    State("fil-envoye", "/messages/{read}?envoye=1", FULL),
    State("fil-termine", "/messages/{closed}", FULL),
    # Mon compte
    State("compte", "/compte", FULL),
    State("compte-mails", "/compte", EMPTY, typed={}, form="/compte/mails"),
    State("compte-change", "/compte?fait=mot-de-passe", FULL),
    State("compte-mot-de-passe", CHANGE, FULL),
    State("compte-mot-de-passe-erreurs", CHANGE, FULL, typed=DIFFERENT, status=422),
    State("appareils", "/compte/appareils", FULL),
    State("activite", "/compte/activite", FULL),
    State("appareils-fait", "/compte/appareils?fait=un", FULL),
    # A new device
    State("fermer-session", "/fermer-session?token=x"),
    State("fermer-session-perime", "/fermer-session", status=410),
    State("fermer-session-servi", "/fermer-session?token={used_closure}", typed={}, status=409),
    State("fermer-session-fait", "/fermer-session/fait"),
    State("compte-en-attente", "/compte?fait=adresse", EMPTY),
    State("compte-trop-de-mails", "/compte?fait=trop", EMPTY),
    State("compte-identifiant-change", "/compte?fait=identifiant", FULL),
    State("compte-confirmer", CONFIRM, FULL),
    State("compte-confirmer-vide", CONFIRM, FULL, typed={}, status=422),
    State("compte-identifiant", f"{CONFIRM}?suite={IDENTIFIER}", FULL, before=confirm),
    State(
        "compte-identifiant-erreurs",
        f"{CONFIRM}?suite={IDENTIFIER}",
        FULL,
        before=confirm,
        typed={"email": "pas une adresse"},
        form=IDENTIFIER,
        status=422,
    ),
    State("cles", PASSKEYS, FULL),
    State("cles-vide", PASSKEYS, EMPTY),
    State("cles-ajout", f"{PASSKEYS}?fait=ajout", FULL),
    State("cle", f"{PASSKEYS}/{{passkey}}", FULL),
    State("cle-ajouter", f"{CONFIRM}?suite={PASSKEYS}/ajouter", FULL, before=confirm),
    State("cle-supprimer", f"{CONFIRM}?suite={PASSKEYS}/{{passkey}}/supprimer", FULL, before=confirm),
    # Validation en deux étapes
    State("deux-etapes", TWO_STEPS, FULL),
    State("deux-etapes-activer", SETUP, FULL, before=confirm_for(SETUP, NEXT)),
    State(
        "deux-etapes-erreur",
        SETUP,
        FULL,
        before=confirm_for(SETUP, NEXT),
        typed={"code": "12"},
        form=SETUP,
        status=422,
    ),
    State("deux-etapes-activee", TWO_STEPS, GUARDED),
    State("deux-etapes-codes", CODES, GUARDED, before=confirm_for(CODES, SHORT)),
    State("deux-etapes-nouveaux-codes", CODES, GUARDED, before=confirm_for(CODES, SHORT), typed={}, form=CODES),
    State("deux-etapes-desactiver", OFF, GUARDED, before=confirm_for(OFF, SHORT)),
    State("deux-etapes-refus", OFF, GUARDED, before=confirm_for(OFF, SHORT), typed={}, form=OFF, status=409),
    State("deux-etapes-desactivee", f"{TWO_STEPS}?fait=desactivee", FULL),
    State("annuler", f"{UNDO}?token=x"),
    State("annuler-perime", f"{UNDO}?token=x", typed={}, status=410),
    State("annuler-fait", f"{UNDO}/fait"),
    # After the membership
    State("accueil-fin", "/accueil", ENDED),
    State("documents-fin", "/documents", ENDED),
    State("messages-fin", "/messages", ENDED),
    State("fil-fin", "/messages/{ended}", ENDED),
    State("envoyer-fin", SEND, ENDED, status=403),
    State("ecrire-fin", "/messages", ENDED, before=opened_before_the_end, typed=TEXT, form=WRITE, status=403),
    # The end of a session
    State("session-avertissement", "/accueil", FULL, before=nearly_over),
    State("session-texte-garde", WRITE, FULL, typed={"text": "Bonjour"}, before=without_session, status=401, last=True),
    State("session-formulaire-ancien", WRITE, FULL, typed=TEXT, before=without_csrf, status=403),
    # For whoever changes the look
    State("composants", "/composants"),
    # When something is wrong
    State("erreur-400", f"/messages/{'x' * 129}", FULL, status=400),
    State("erreur-403", "/", typed={}, before=forget, status=403),
    State("erreur-404", "/nulle-part", status=404),
    State("erreur-404-connecte", "/remboursements/nulle-part", FULL, status=404),
    State("erreur-413", WRITE, FULL, typed={"text": "x" * 70_000}, status=413),
    State("erreur-503", "/remboursements", FULL, away="claims", status=503),
    State("accueil-en-partie", "/accueil", FULL, away="claims"),
)

TOO_OFTEN: Final = State("erreur-429", "/activation?token=x", before=ask_too_often, typed={}, status=429)
"""Not among the others: what it asks is refused to all of them for the next minute."""
