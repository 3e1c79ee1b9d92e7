"""Members, their families and what covers them."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from deploy.simulator import names
from deploy.simulator.chance import ANCHOR, chance, stable_id
from shared import nir
from shared.events.base import Event
from shared.events.fields import Domain
from shared.events.membership import Beneficiary, Coverage, CoverageChanged, Guarantee, MemberEnrolled, PostalAddress

_OPERATORS: Final[dict[Domain, str]] = {
    "PHAR": "SP", "MED": "SP", "RLAX": "SP", "SAGE": "SP", "EXTE": "IS", "CSTE": "SP",
    "HOSP": "OC", "OPTI": "SP/OC", "DESO": "OC", "DEPR": "OC", "AUDI": "OC", "DIV": "OC",
}  # fmt: skip
_GRID: Final[dict[Domain, str]] = {
    "PHAR": "100/100/100", "MED": "100%", "RLAX": "100%", "SAGE": "100%", "EXTE": "100%", "CSTE": "100%",
    "HOSP": "(1)", "OPTI": "(1)", "DESO": "(2)", "DEPR": "(1)", "AUDI": "(1)", "DIV": "(2)",
}  # fmt: skip
"""Both as on the card in the insurer's user guide."""

_FOOTNOTES: Final = {"1": "Prise en charge sur demande", "2": "Selon devis"}


_TODAY: Final = ANCHOR.date()


def population(seed: int, n: int) -> list[MemberEnrolled]:
    """`n` members with different member numbers and NIRs; the first is Laure Dupont of the event contracts."""
    rng = chance("population", seed)
    members = [_laure()]
    numbers, nirs = {members[0].member_number}, {members[0].nir}
    while len(members) < n:
        member = _Household(rng, nirs).enrolled(f"{rng.randrange(10_000_000, 100_000_000)}")
        if member.member_number not in numbers:
            numbers.add(member.member_number)
            members.append(member)
    return members[:n]


def enrolled(members: Sequence[MemberEnrolled]) -> list[Event[MemberEnrolled]]:
    """Their enrolments: the same facts are the same event, whoever publishes them and whenever."""
    time = ANCHOR - timedelta(days=366)
    return [Event.of(member, id=stable_id("enrolled", member.to_json().decode()), time=time) for member in members]


def renewals(members: Sequence[MemberEnrolled], *, today: date) -> list[Event[CoverageChanged]]:
    """The coverage of the years after the enrolment up to this one: without it a card would not be in force today."""
    return [_renewal(member, year) for year in range(_TODAY.year + 1, today.year + 1) for member in members]


def coverage(number: str, name: str, year: int) -> Coverage:
    """The contract `number` in one year, with the grid and the footnotes of the insurer's user guide."""
    return Coverage(
        contract_number=number,
        contract_name=name,
        amc_number="0123456789",
        agreement_type="SP",
        csr="01",
        responsible_contract=True,
        valid_from=date(year, 1, 1),
        valid_until=date(year, 12, 31),
        guarantees=tuple(
            Guarantee.model_validate({"domain": domain, "operator": _OPERATORS[domain], "level": level})
            for domain, level in _GRID.items()
        ),
        footnotes=_FOOTNOTES,
    )


def age(born: date, on: date) -> int:
    """Whole years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _renewal(member: MemberEnrolled, year: int) -> Event[CoverageChanged]:
    following = coverage(member.coverage.contract_number, member.coverage.contract_name, year)
    data = CoverageChanged(member_number=member.member_number, coverage=following)
    time = datetime(year - 1, 12, 1, 9, 0, tzinfo=UTC)
    return Event.of(data, id=stable_id("renewal", data.to_json().decode()), time=time)


def _laure() -> MemberEnrolled:
    number = nir.normalise("284057511700128")
    born, hugo = date(1984, 5, 12), date(2015, 3, 2)
    return MemberEnrolled(
        member_number="12345678",
        nir=number,
        title="MME",
        first_name="Laure",
        last_name="Dupont",
        birth_date=born,
        email="laure.dupont@example.org",
        language="fr",
        postal_address=PostalAddress(lines=("12 RUE DES LILAS",), postal_code="69003", city="LYON", country="FR"),
        beneficiaries=(
            Beneficiary(
                rank=1, relation="insured", first_name="Laure", last_name="Dupont", birth_date=born, nir=number
            ),
            Beneficiary(rank=2, relation="child", first_name="Hugo", last_name="Dupont", birth_date=hugo, nir=number),
        ),
        coverage=coverage("C-2026-0001", "Confort", _TODAY.year),
    )


class _Household:
    """Draws one family. `nirs`: those already given, to which it adds its own."""

    def __init__(self, rng: Random, nirs: set[nir.Nir]) -> None:
        self._rng = rng
        self._nirs = nirs
        self._family = rng.choice(names.FAMILIES)

    def enrolled(self, member_number: str) -> MemberEnrolled:
        rng = self._rng
        town = rng.choice(names.TOWNS)
        people = self._people()
        insured = people[0]
        title = "MME" if insured.nir.startswith("2") else "M"
        return MemberEnrolled(
            member_number=member_number,
            nir=insured.nir,
            title=title,
            first_name=insured.first_name,
            last_name=insured.last_name,
            birth_date=insured.birth_date,
            email=self._email(insured, member_number) if rng.random() < 0.8 else None,
            language="fr",
            postal_address=self._address(town),
            beneficiaries=people,
            coverage=coverage(
                f"C-{_TODAY.year}-{rng.randrange(10_000):04d}",
                rng.choice(("Essentiel", "Confort", "Confort Plus")),
                _TODAY.year,
            ),
        )

    def _people(self) -> tuple[Beneficiary, ...]:
        rng = self._rng
        years = rng.randint(20, 90)
        insured = self._person(1, "insured", self._born(years), rng.choice("12"))
        people = [insured]
        if rng.random() < 0.5:
            people.append(self._person(2, "spouse", self._born(max(18, years + rng.randint(-6, 6))), rng.choice("12")))
        for _ in range(rng.choice((0, 1, 1, 2, 3)) if 24 <= years <= 60 else 0):
            born = self._born(rng.randint(0, min(20, years - 20)))
            child = self._person(len(people) + 1, "child", born, rng.choice("12"))
            on_parents_card = age(born, _TODAY) < 16
            people.append(child.model_copy(update={"nir": insured.nir}) if on_parents_card else child)
        return tuple(people)

    def _person(self, rank: int, relation: str, born: date, sex: str) -> Beneficiary:
        first = self._rng.choice(names.WOMEN if sex == "2" else names.MEN)
        return Beneficiary(
            rank=rank,
            first_name=first,
            last_name=self._family,
            birth_date=born,
            nir=self._nir(sex, born),
            relation=relation,
        )

    def _born(self, years: int) -> date:
        return _TODAY - timedelta(days=round(years * 365.25) + self._rng.randrange(365))

    def _nir(self, sex: str, born: date) -> nir.Nir:
        rng = self._rng
        places = names.BORN_ABROAD if rng.random() < 0.08 else [town[2] for town in names.TOWNS]
        while True:
            number = nir.normalise(f"{sex}{born:%y%m}{rng.choice(places)}{rng.randint(1, 600):03d}")
            if number not in self._nirs:
                self._nirs.add(number)
                return number

    def _address(self, town: tuple[str, str, str]) -> PostalAddress:
        rng = self._rng
        street = f"{rng.randint(1, 180)}{rng.choice(('', '', '', ' BIS'))} {rng.choice(names.STREETS)}"
        building = (f"BATIMENT {rng.choice('ABCD')}",) if rng.random() < 0.2 else ()
        return PostalAddress(lines=(*building, street), postal_code=town[0], city=town[1], country="FR")

    def _email(self, person: Beneficiary, member_number: str) -> str:
        written = unicodedata.normalize("NFD", f"{person.first_name}.{person.last_name}".lower())
        local = "".join(sign for sign in written if sign.isascii() and (sign.isalnum() or sign in ".-"))
        return f"{local}.{member_number[-4:]}@example.org"
