"""membership.v1: what contract management publishes about members, their families and their coverage."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.events.base import Contract, EventData
from shared.events.fields import Code, Domain, Email, Id, Language, Line, NirWithoutKey, Rank, broken, repeats


class MembershipEvent(EventData):
    topic: ClassVar[str] = "membership.v1"
    source: ClassVar[str] = "/membership"


class PostalAddress(Contract):
    """As on an envelope: `lines` stand between the name and the postal code (NF Z10-011)."""

    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=6)]
    postal_code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z -]{0,11}$")]
    city: Line
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Beneficiary(Contract):
    """A person covered by the contract. A child may carry a parent's NIR."""

    rank: Rank
    first_name: Line
    last_name: Line
    birth_date: date
    nir: NirWithoutKey
    relation: Code


class Guarantee(Contract):
    """One cell of the card's grid. `ranks` absent: all beneficiaries."""

    domain: Domain
    operator: Literal["SP", "IS", "OC", "SP/OC"]
    level: Line
    ranks: Annotated[tuple[Rank, ...], Field(min_length=1)] | None = None


class Coverage(Contract):
    """What the contract covers from one day to another, both included."""

    contract_number: Id
    contract_name: Line
    amc_number: Code
    agreement_type: Code
    csr: Code
    responsible_contract: bool
    valid_from: date
    valid_until: date
    guarantees: Annotated[tuple[Guarantee, ...], Field(max_length=200)]
    footnotes: dict[Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z*]{1,3}$")], Line] | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_until < self.valid_from:
            raise broken("ends_before_it_begins", "valid_until", "Should not be before valid_from")
        return self


Beneficiaries = Annotated[tuple[Beneficiary, ...], Field(min_length=1, max_length=99)]


def _ranks_differ(beneficiaries: tuple[Beneficiary, ...]) -> None:
    if repeats(person.rank for person in beneficiaries):
        raise broken("rank_repeated", "beneficiaries", "Each beneficiary should have a rank of their own")


class MemberEnrolled(MembershipEvent):
    """A member, or for a known member number the same facts anew."""

    insurer: Code = "main"
    nir: NirWithoutKey
    title: Line
    first_name: Line
    last_name: Line
    birth_date: date
    email: Email | None = None
    language: Language | None = None
    postal_address: PostalAddress
    beneficiaries: Beneficiaries
    coverage: Coverage

    @model_validator(mode="after")
    def _each_beneficiary_once(self) -> Self:
        _ranks_differ(self.beneficiaries)
        return self


class MemberUpdated(MembershipEvent):
    """Any subset of the person's fields and the list of beneficiaries, whole.

    Absent = unchanged, null = removed: read `changes`, where only what was present appears, as a value or None.
    """

    nir: NirWithoutKey | None = None
    title: Line | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    birth_date: date | None = None
    email: Email | None = None
    language: Language | None = None
    postal_address: PostalAddress | None = None
    beneficiaries: Beneficiaries | None = None

    NOT_REMOVABLE: ClassVar[tuple[str, ...]] = ("nir", "first_name", "last_name", "birth_date", "beneficiaries")

    @model_validator(mode="after")
    def _keeps_what_a_member_cannot_lack(self) -> Self:
        for name in self.NOT_REMOVABLE:
            if name in self.model_fields_set and getattr(self, name) is None:
                raise broken("not_removable", name, "Can be changed, not removed")
        if self.beneficiaries is not None:
            _ranks_differ(self.beneficiaries)
        return self

    @property
    def changes(self) -> Mapping[str, Any]:
        """The fields that were present: name → new value, None = removed."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set - {"member_number"})}

    def to_json(self) -> bytes:
        """Compact JSON with the fields that were present; here null has a meaning."""
        return self.model_dump_json(exclude_unset=True).encode()


class CoverageChanged(MembershipEvent):
    """A validity period of the coverage, whole; several live side by side."""

    coverage: Coverage


class MembershipEnded(MembershipEvent):
    """Reading stays possible for 24 months after `ended_on`."""

    ended_on: date
