"""A list as CSV that opens by a double click in a French spreadsheet, and runs nothing there.

UTF-8 with a byte order mark, without which Excel takes accents for another alphabet; semicolons and decimal commas,
which is what French settings separate and write numbers with: with commas and points every row would land in one
cell, and 7.00 would be read as a text or a date. Days are ISO 8601, which every language's settings take for a day.
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

from services.claims import rules
from services.claims.french import DOMAINS, STATUSES, person_name
from services.claims.models import Reimbursement

BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
HEADINGS: Final = (
    "Date",
    "Statut",
    "Bénéficiaire",
    "Libellé",
    "Domaines",
    "Dépense",
    "Base de remboursement",
    "Part Sécurité sociale",
    "Part complémentaire",
    "Autres participations",
    "Reste à charge",
    "Payé à",
    "Référence",
    "Référence du paiement",
)

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_FORMULA: Final = re.compile(r"""(^|[,;|])([\s"'\ufeff]*)(?=[=+\-@＝＋－＠])""")
"""Where a cell may begin that a spreadsheet would calculate: at a text's start, and after what separates cells
elsewhere, should a file be opened with other settings (OWASP, CSV injection)."""


def text_cell(text: str) -> str:
    """`text` on one line, and never a formula: an apostrophe before it says that it is a text."""
    return _FORMULA.sub(r"\1\2'", _CONTROLS.sub(" ", text))


def money_cell(cents: int | None) -> str:
    """`-1234,50`: a number; empty where there is none."""
    if cents is None:
        return ""
    euros, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{euros},{rest:02d}"


def headings() -> str:
    """What the file begins with."""
    return BYTE_ORDER_MARK + written([HEADINGS])


def rows(claims: Iterable[Reimbursement]) -> str:
    """One row a claim, in the columns of `HEADINGS`."""
    return written(_row(claim) for claim in claims)


def _row(reimbursement: Reimbursement) -> tuple[str, ...]:
    claim, listing, figures = reimbursement.claim, reimbursement.listing, reimbursement.listing.figures
    payment = claim.paid.value.payment if claim.paid else None
    payee = "" if payment is None else payment.payee_name or "Vous"
    money = (
        (
            figures.spent_cents,
            figures.base_cents,
            figures.statutory_cents,
            figures.amount_cents,
            figures.other_cents,
            figures.left_to_pay_cents,
        )
        if figures
        else (None,) * 6
    )
    return (
        listing.date,
        STATUSES[listing.status],
        text_cell(person_name(listing.beneficiary_rank, reimbursement.first_name)),
        text_cell(rules.label(claim) or ""),
        text_cell(" ; ".join(DOMAINS[domain] for domain in listing.domains)),
        *map(money_cell, money),
        text_cell(payee),
        text_cell(claim.claim_id),
        text_cell(payment.payment_id if payment else ""),
    )


def written(table: Iterable[Iterable[str]]) -> str:
    """Every cell in quotation marks: a comma or a line end in a text separates nothing, whatever the settings."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(table)
    return text.getvalue()
