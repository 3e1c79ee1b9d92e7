"""One plausible event of each type that internal systems publish, to start from."""

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from shared import clock, ids, nir
from shared.events.base import EventData

Example = Callable[[date], Mapping[str, Any]]


def written(contract: type[EventData], member_number: str, *, today: date) -> str:
    """`{"type": …, "data": …}` as indented JSON. Ids are new each time, so each publication is an event of its own."""
    data = {"member_number": member_number, **_EXAMPLES[contract.__name__](today)}
    return json.dumps({"type": contract.__name__, "data": data}, indent=2, ensure_ascii=False)


def _new(prefix: str) -> str:
    return f"{prefix}-{ids.new_id()}"


def _member_enrolled(today: date) -> Mapping[str, Any]:
    number = nir.normalise("2840575117001")
    person = {"first_name": "Laure", "last_name": "Dupont", "birth_date": "1984-05-12", "nir": number}
    return {
        "title": "MME",
        **person,
        "email": "laure.dupont@example.org",
        "language": "fr",
        "postal_address": {"lines": ["12 RUE DES LILAS"], "postal_code": "69003", "city": "LYON", "country": "FR"},
        "beneficiaries": [{"rank": 1, **person, "relation": "insured"}],
        **_coverage_changed(today),
    }


def _member_updated(_: date) -> Mapping[str, Any]:
    address = {"lines": ["3 QUAI DE SAÔNE"], "postal_code": "69002", "city": "LYON", "country": "FR"}
    return {"email": "laure@example.org", "postal_address": address}


def _coverage_changed(today: date) -> Mapping[str, Any]:
    return {
        "coverage": {
            "contract_number": f"C-{today.year}-0001",
            "contract_name": "Confort",
            "amc_number": "0123456789",
            "agreement_type": "SP",
            "csr": "01",
            "responsible_contract": True,
            "valid_from": f"{today.year}-01-01",
            "valid_until": f"{today.year}-12-31",
            "guarantees": [
                {"domain": "PHAR", "operator": "SP", "level": "100/100/100"},
                {"domain": "HOSP", "operator": "OC", "level": "(1)"},
            ],
            "footnotes": {"1": "Prise en charge sur demande"},
        }
    }


def _membership_ended(today: date) -> Mapping[str, Any]:
    return {"ended_on": today.isoformat()}


def _claim_received(today: date) -> Mapping[str, Any]:
    return {"claim_id": _new("R"), "beneficiary_rank": 1, "received_on": today.isoformat(), "label": "Pharmacie"}


def _claim_paid(today: date) -> Mapping[str, Any]:
    line = {
        "line": 1,
        "care_date": (today - timedelta(days=8)).isoformat(),
        "act_code": "PH7",
        "act_label": "Pharmacie 65 %",
        "domain": "PHAR",
        "quantity": 1,
        "spent_cents": 2000,
        "base_cents": 2000,
        "statutory_cents": 1300,
        "complementary_cents": 700,
        "other_cents": 0,
    }
    payment = {"payment_id": _new("P"), "paid_on": today.isoformat(), "payee": "member"}
    return {"claim_id": _new("R"), "beneficiary_rank": 1, "amount_cents": 700, "payment": payment, "lines": [line]}


def _claim_refused(today: date) -> Mapping[str, Any]:
    return {
        "claim_id": _new("R"),
        "beneficiary_rank": 1,
        "refused_on": today.isoformat(),
        "reason_code": "prescription_missing",
        "reason": "L'ordonnance n'est pas jointe à la facture.",
        "what_to_do": "Envoyez l'ordonnance depuis votre espace.",
    }


def _claim_reversed(today: date) -> Mapping[str, Any]:
    return {
        "claim_id": _new("R"),
        "reverses": "R-1",
        "reversed_on": today.isoformat(),
        "amount_cents": -700,
        "reason": "Ce soin avait déjà été remboursé.",
    }


def _document_processed(_: date) -> Mapping[str, Any]:
    return {"document_id": "d-1", "outcome": "refused", "reason": "La facture n'est pas lisible."}


def _document_delivered(_: date) -> Mapping[str, Any]:
    return {
        "document_id": _new("d"),
        "kind": "attestation",
        "title": "Attestation de droits",
        "bucket": "deliveries",
        "object": "attestation.pdf",
        "sha256": "0" * 64,
    }


def _message_answered(_: date) -> Mapping[str, Any]:
    return {
        "thread_id": "t-1",
        "message_id": "m-1",
        "answer_id": _new("a"),
        "text": "Bonjour,\n\nVotre devis est accepté.",
        "answered_at": clock.rfc3339(clock.now()),
        "closes": False,
    }


def _letter_posted(today: date) -> Mapping[str, Any]:
    return {"letter_id": "l-1", "posted_on": today.isoformat()}


_EXAMPLES: Mapping[str, Example] = {
    "MemberEnrolled": _member_enrolled,
    "MemberUpdated": _member_updated,
    "CoverageChanged": _coverage_changed,
    "MembershipEnded": _membership_ended,
    "ClaimReceived": _claim_received,
    "ClaimPaid": _claim_paid,
    "ClaimRefused": _claim_refused,
    "ClaimReversed": _claim_reversed,
    "DocumentProcessed": _document_processed,
    "DocumentDelivered": _document_delivered,
    "MessageAnswered": _message_answered,
    "LetterPosted": _letter_posted,
}
