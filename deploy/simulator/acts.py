"""Acts as French health insurance pays them in 2026: tariffs in cents, statutory rates in per cent, rounded to life.

Base tariffs, rates, the participation forfaitaire (2 € a consultation or examination) and the franchises (1 € a box of
medicine or an auxiliary's act, 4 € a transport; none for minors) follow ameli.fr; 100 % santé: spent = the price limit,
nothing left to pay.
"""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final, Literal

from shared.events.claims_payment import ClaimLine
from shared.events.fields import Domain

Cover = Literal["ticket", "actual", "fixed"]
"""What we pay: up to the base, up to what was spent, or up to a fixed amount."""


@dataclass(frozen=True, slots=True)
class Deduction:
    """What the statutory scheme keeps back from an adult, for each unit of an act; we may not pay it either."""

    code: str
    label: str
    cents: int


PARTICIPATION: Final = Deduction("PFT", "Participation forfaitaire", 200)
BOX: Final = Deduction("FRM", "Franchise sur médicament", 100)
AUXILIARY: Final = Deduction("FRA", "Franchise sur acte paramédical", 100)
TRANSPORT: Final = Deduction("FRT", "Franchise sur transport", 400)


@dataclass(frozen=True, slots=True)
class Act:
    """`spent`: lowest and highest price of one unit. `base` None: the price itself is the base."""

    code: str
    label: str
    domain: Domain
    spent: tuple[int, int]
    base: int | None
    rate: int
    cover: Cover = "ticket"
    fixed: int = 0
    units: tuple[int, int] = (1, 1)
    deduction: Deduction | None = None

    def line(self, rng: Random, number: int, care_date: date, *, kept_back: bool) -> ClaimLine:
        """The act as done once or several times. `kept_back`: the deduction is taken off the statutory part at once."""
        quantity = rng.randint(*self.units)
        spent = rng.randrange(self.spent[0], self.spent[1] + 1, 5) * quantity
        base = spent if self.base is None else min(self.base * quantity, spent)
        statutory = (base * self.rate + 50) // 100
        shares = {"ticket": base - statutory, "actual": spent - statutory, "fixed": min(self.fixed, spent - statutory)}
        deducted = self.deduction.cents * quantity if self.deduction and kept_back else 0
        return ClaimLine(
            line=number,
            care_date=care_date,
            act_code=self.code,
            act_label=self.label,
            domain=self.domain,
            quantity=quantity,
            spent_cents=spent,
            base_cents=base,
            statutory_cents=statutory - min(deducted, statutory),
            complementary_cents=shares[self.cover],
            other_cents=0,
        )


GP = Act("GS", "Consultation généraliste", "MED", (3000, 3000), 3000, 70, deduction=PARTICIPATION)
SPECIALIST = Act("CS", "Consultation spécialiste", "MED", (3150, 3150), 3150, 70, deduction=PARTICIPATION)
SPECIALIST_FREE_PRICE = Act(
    "CS", "Consultation spécialiste, secteur 2", "MED", (5000, 8000), 2300, 70, "fixed", 1840, deduction=PARTICIPATION
)
PHARMACY_65 = Act("PH7", "Pharmacie 65 %", "PHAR", (350, 2400), None, 65, units=(1, 3), deduction=BOX)
PHARMACY_30 = Act("PH4", "Pharmacie 30 %", "PHAR", (250, 900), None, 30, units=(1, 2), deduction=BOX)
PHARMACY_15 = Act("PH2", "Pharmacie 15 %", "PHAR", (200, 700), None, 15, units=(1, 2), deduction=BOX)
LABORATORY = Act("B", "Analyses de biologie", "RLAX", (1200, 6400), None, 60, deduction=PARTICIPATION)
ULTRASOUND = Act("ADE", "Échographie", "RLAX", (5290, 5290), 5290, 70, deduction=PARTICIPATION)
PHYSIOTHERAPY = Act("AMS", "Kinésithérapie", "RLAX", (1658, 1658), 1658, 60, units=(2, 6), deduction=AUXILIARY)
NURSE = Act("AMI", "Soins infirmiers", "RLAX", (630, 945), None, 60, units=(1, 4), deduction=AUXILIARY)
MIDWIFE = Act("CSF", "Consultation sage-femme", "SAGE", (2650, 2650), 2650, 70)
EMERGENCY = Act("FPU", "Forfait patient urgences", "EXTE", (1961, 1961), 0, 0, "actual")
HEALTH_CENTRE = Act("GS", "Consultation en centre de santé", "CSTE", (3000, 3000), 3000, 70, deduction=PARTICIPATION)
DAILY_FEE = Act("FJ", "Forfait journalier hospitalier", "HOSP", (2000, 2000), 0, 0, "actual", units=(1, 8))
PRIVATE_ROOM = Act("CP", "Chambre particulière", "HOSP", (6500, 9500), 0, 0, "fixed", 15000, units=(1, 5))
HEAVY_ACT = Act("PAS", "Participation pour acte lourd", "HOSP", (2400, 2400), 0, 0, "actual")
SCALING = Act("SDE", "Détartrage", "DESO", (2892, 2892), 2892, 60)
CAVITY = Act("SDE", "Traitement d'une carie", "DESO", (2604, 6510), None, 60)
CROWN_NO_REST = Act("PAR", "Couronne céramo-métallique 100 % santé", "DEPR", (50000, 50000), 12000, 60, "actual")
CROWN_FREE_PRICE = Act("PAM", "Couronne céramique, tarif libre", "DEPR", (58000, 82000), 12000, 60, "fixed", 36000)
FRAME_NO_REST = Act("MON", "Monture classe A, 100 % santé", "OPTI", (3000, 3000), 900, 60, "actual")
LENSES_NO_REST = Act("VER", "Verres classe A, 100 % santé", "OPTI", (4000, 7500), 1600, 60, "actual", units=(2, 2))
FRAME_FREE_PRICE = Act("MON", "Monture classe B", "OPTI", (9000, 18000), 5, 60, "fixed", 10000)
LENSES_FREE_PRICE = Act("VER", "Verres classe B", "OPTI", (9500, 21000), 5, 60, "fixed", 25000, units=(2, 2))
HEARING_AID = Act("AUD", "Aide auditive classe I, 100 % santé", "AUDI", (95000, 95000), 40000, 60, "actual")
OSTEOPATHY = Act("OST", "Ostéopathie", "DIV", (5500, 7000), 0, 0, "fixed", 3000)
SICK_TRANSPORT = Act("VSL", "Transport en VSL", "DIV", (3200, 8800), None, 55, deduction=TRANSPORT)
