"""The words of files that members keep, as the pages have them (`gateway/pages/reimbursement_parts.html`)."""

from collections.abc import Mapping
from typing import Final

from services.claims.models import Status

STATUSES: Final[Mapping[Status, str]] = {
    Status.RECEIVED: "En cours de traitement",
    Status.PAID: "Payé",
    Status.REFUSED: "Refusé",
    Status.REVERSED: "Annulé",
    Status.REVERSAL: "Annulation",
}
DOMAINS: Final[Mapping[str, str]] = {
    "PHAR": "Pharmacie",
    "MED": "Médecine",
    "RLAX": "Laboratoire, radiologie, auxiliaires médicaux",
    "SAGE": "Sage-femme",
    "EXTE": "Soins externes",
    "CSTE": "Centre de santé",
    "HOSP": "Hospitalisation",
    "OPTI": "Optique",
    "DESO": "Soins dentaires",
    "DEPR": "Prothèses dentaires",
    "AUDI": "Audioprothèses",
    "DIV": "Soins divers",
}


def person_name(rank: int | None, first_name: str | None) -> str:
    """Whom a claim is for: by their rank until contract management has told the name, empty where nobody is known."""
    return first_name or (f"Bénéficiaire n° {rank}" if rank else "")
