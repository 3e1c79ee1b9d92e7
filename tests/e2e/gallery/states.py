"""The list: one line a page or state. A new page is a new line here, and is then held to everything at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

from tests.e2e.gallery.cast import EMPTY, ENDED, FULL, GUARDED, HALF, LETTER, NEW, NEXT, SHORT, WAITING

NOBODY: Final = "{nobody}"
"""As an identifier: one that nobody has, another at each visit."""


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


def _forget(page: Page) -> None:
    page.context.clear_cookies()


def _ask_too_often(page: Page) -> None:
    """More than one address may ask of what needs no session, within one minute."""
    csrf = page.locator('main form [name="csrf"]').first.input_value()
    for _ in range(600):  # however many fall into the minute before
        if page.context.request.post("/activation", form={"csrf": csrf, "token": "x"}).status == 429:
            return


def _without_session(page: Page) -> None:
    """The next form comes from a browser whose session is over."""
    page.context.clear_cookies(name="session")


def _without_csrf(page: Page) -> None:
    """The next form comes from a browser that was closed in between."""
    page.context.clear_cookies(name="csrf")


def _shows_to_be_no_robot(page: Page) -> None:
    """The proof of work is done."""
    page.get_by_role("checkbox").check()
    page.locator('[name="altcha"]:not([value=""])').wait_for(state="attached")


def _cannot_show(page: Page) -> None:
    """No worker for the proof of work: the form goes without it, as without JavaScript, and the hour's one has gone."""
    csrf = page.locator('main form [name="csrf"]').first.input_value()
    page.context.request.post(LOST, form={"csrf": csrf, **ASKED}, max_redirects=0)
    page.evaluate("window.Worker = undefined")


def _confirm(page: Page) -> None:
    """The password again, up to the form that it opens."""
    form = page.locator('main form[action="/compte/confirmer"]')
    suite = form.locator('[name="suite"]').input_value()
    form.locator('[name="mot_de_passe"]').fill(NEXT)
    form.locator('[type="submit"]').click()
    page.locator(f'main form[action="{suite}"]').wait_for()


def _with_a_strange_passkey(page: Page) -> None:
    """What the form carries is no answer of a passkey that anybody has."""
    page.locator('main [name="cle"]').evaluate("one => { one.value = '{}'; }")


def _confirm_for(form: str, password: str) -> Callable[[Page], None]:
    """The same on the way to another form."""

    def confirm(page: Page) -> None:
        if page.locator('main [name="mot_de_passe"]').count():  # else this session has shown it minutes ago
            page.locator('main [name="mot_de_passe"]').fill(password)
            page.locator('main form[action="/compte/confirmer"] [type="submit"]').click()
        page.locator(f'main form[action="{form}"]').wait_for()

    return confirm


def _with_a_recovery_code(page: Page) -> None:
    """The other kind of code."""
    page.locator('main [name="autre"]').click()
    page.locator('main [name="secours"]').wait_for(state="attached")


def _nearly_over(page: Page) -> None:
    """The session ends in a minute and a half."""
    page.route("**/session/reste", lambda route: route.fulfill(json={"seconds": 90}), times=1)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("dialog").wait_for()


def _opened_before_the_end(page: Page) -> None:
    """A form that writes, as the page still shows it that was opened while the membership went on."""
    page.evaluate(
        """() => {
          const form = document.querySelector('form[action="/deconnexion"]').cloneNode(true);
          form.action = "/messages/nouveau";
          form.append(Object.assign(document.createElement("textarea"), { name: "text" }));
          document.querySelector("main").append(form);
        }"""
    )


def _take_the_idea(page: Page) -> None:
    """The four words that are offered, in both fields."""
    page.locator("[data-use]").click()
    page.locator(".strength.enough").wait_for()


def _more_filters(page: Page) -> None:
    """Those that are put away at first."""
    page.locator("#filtres summary").click()


WRONG: Final = {"identifiant": NOBODY, "mot_de_passe": "pas le bon mot"}
TWICE: Final = {"nouveau_mot_de_passe": "motdepasse2026", "confirmation": "motdepasse2026"}
TEXT: Final = {"text": "Bonjour"}
ASKED: Final = {"identifiant": NOBODY, "securite_sociale": "284057511700128", "robot": "true"}
DIFFERENT: Final = {"nouveau_mot_de_passe": "quatre mots bleus", "confirmation": "autre chose"}
FIRST, LOST, CHANGE = "/premiere-connexion", "/mot-de-passe-perdu", "/compte/mot-de-passe"
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
    State("connexion-cle-refusee", "/", typed={}, before=_with_a_strange_passkey, status=422),
    State("connexion-bloquee", "/", typed=WRONG, times=2, status=422),
    # The code after the password
    State("code", CODE, HALF),
    State("code-erreur", CODE, HALF, typed={"code": "12"}, status=422),
    State("code-secours", CODE, HALF, before=_with_a_recovery_code),
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
    State("perdu-verifie", LOST, before=_shows_to_be_no_robot),
    State("perdu-non-verifie", LOST, typed=ASKED, before=_cannot_show, status=422),
    State("perdu-demande", LOST, typed=ASKED),
    State("identifiant-oublie", "/identifiant-oublie"),
    State("nouveau-mot-de-passe", f"{RESET}?token=x"),
    State("nouveau-mot-de-passe-idee", f"{RESET}?token=x", before=_take_the_idea),
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
    State("remboursements-filtres", LISTED, FULL, typed={"pour": "2", "recherche": "verres"}, before=_more_filters),
    State("remboursements-aucun", LISTED, FULL, typed={"recherche": "introuvable"}, before=_more_filters),
    State("remboursements-filtres-erreurs", LISTED, FULL, typed=BACKWARDS, before=_more_filters, status=422),
    State("remboursement-recu", "/remboursements/R-received", FULL),
    State("remboursement-paye", "/remboursements/R-paid", FULL),
    State("remboursement-refuse", "/remboursements/R-refused", FULL),
    State("remboursement-annule", "/remboursements/R-reversed", FULL),
    State("remboursement-annulation", "/remboursements/R-reversal", FULL),
    State("remboursement-tiers", "/remboursements/R-provider", FULL),
    State("remboursement-trop-percu", "/remboursements/R-overpaid", FULL),
    State("remboursement-retenue", "/remboursements/R-deducted", FULL),
    State("remboursement-autres", "/remboursements/R-others", FULL),
    State("decomptes", "/decomptes", FULL),
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
    State("compte-identifiant", f"{CONFIRM}?suite={IDENTIFIER}", FULL, before=_confirm),
    State(
        "compte-identifiant-erreurs",
        f"{CONFIRM}?suite={IDENTIFIER}",
        FULL,
        before=_confirm,
        typed={"email": "pas une adresse"},
        form=IDENTIFIER,
        status=422,
    ),
    State("cles", PASSKEYS, FULL),
    State("cles-vide", PASSKEYS, EMPTY),
    State("cles-ajout", f"{PASSKEYS}?fait=ajout", FULL),
    State("cle", f"{PASSKEYS}/{{passkey}}", FULL),
    State("cle-ajouter", f"{CONFIRM}?suite={PASSKEYS}/ajouter", FULL, before=_confirm),
    State("cle-supprimer", f"{CONFIRM}?suite={PASSKEYS}/{{passkey}}/supprimer", FULL, before=_confirm),
    # Validation en deux étapes
    State("deux-etapes", TWO_STEPS, FULL),
    State("deux-etapes-activer", SETUP, FULL, before=_confirm_for(SETUP, NEXT)),
    State(
        "deux-etapes-erreur",
        SETUP,
        FULL,
        before=_confirm_for(SETUP, NEXT),
        typed={"code": "12"},
        form=SETUP,
        status=422,
    ),
    State("deux-etapes-activee", TWO_STEPS, GUARDED),
    State("deux-etapes-codes", CODES, GUARDED, before=_confirm_for(CODES, SHORT)),
    State("deux-etapes-nouveaux-codes", CODES, GUARDED, before=_confirm_for(CODES, SHORT), typed={}, form=CODES),
    State("deux-etapes-desactiver", OFF, GUARDED, before=_confirm_for(OFF, SHORT)),
    State("deux-etapes-refus", OFF, GUARDED, before=_confirm_for(OFF, SHORT), typed={}, form=OFF, status=409),
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
    State("ecrire-fin", "/messages", ENDED, before=_opened_before_the_end, typed=TEXT, form=WRITE, status=403),
    # The end of a session
    State("session-avertissement", "/accueil", FULL, before=_nearly_over),
    State(
        "session-texte-garde", WRITE, FULL, typed={"text": "Bonjour"}, before=_without_session, status=401, last=True
    ),
    State("session-formulaire-ancien", WRITE, FULL, typed=TEXT, before=_without_csrf, status=403),
    # For whoever changes the look
    State("composants", "/composants"),
    # When something is wrong
    State("erreur-400", f"/messages/{'x' * 129}", FULL, status=400),
    State("erreur-403", "/", typed={}, before=_forget, status=403),
    State("erreur-404", "/nulle-part", status=404),
    State("erreur-404-connecte", "/remboursements/nulle-part", FULL, status=404),
    State("erreur-413", WRITE, FULL, typed={"text": "x" * 70_000}, status=413),
    State("erreur-503", "/remboursements", FULL, away="claims", status=503),
    State("accueil-en-partie", "/accueil", FULL, away="claims"),
)

TOO_OFTEN: Final = State("erreur-429", "/activation?token=x", before=_ask_too_often, typed={}, status=429)
"""Not among the others: what it asks is refused to all of them for the next minute."""
