"""What takes people to a doctor, and what they are billed for it there."""

from dataclasses import dataclass
from random import Random
from typing import Final

from deploy.simulator import acts
from deploy.simulator.acts import Act


@dataclass(frozen=True, slots=True)
class Bill:
    """What one professional bills. Third-party payment: we pay the professional, in so many cases of 100."""

    label: str
    professionals: tuple[str, ...]
    acts: tuple[Act, ...]
    third_party_percent: int
    on_paper_percent: int = 0


_DOCTORS = ("DR PERRET", "DR NGUYEN", "DR BENHAMOU", "DR LE GALL")
_PHARMACIES = ("PHARMACIE DES LILAS", "PHARMACIE CENTRALE", "PHARMACIE DU MARCHÉ")

GP = Bill("Médecine", _DOCTORS, (acts.GP,), 15)
SPECIALIST = Bill("Médecine", ("DR ROCHE", "DR AUBERT"), (acts.SPECIALIST,), 10)
SPECIALIST_FREE_PRICE = Bill("Médecine", ("DR VILLARD",), (acts.SPECIALIST_FREE_PRICE,), 0, 20)
PHARMACY = Bill("Pharmacie", _PHARMACIES, (acts.PHARMACY_65, acts.PHARMACY_30), 85)
PHARMACY_LONG = Bill("Pharmacie", _PHARMACIES, (acts.PHARMACY_65, acts.PHARMACY_65, acts.PHARMACY_15), 85)
LABORATORY = Bill("Biologie", ("LABORATOIRE BIOSUD", "LABORATOIRE ANALYSIA"), (acts.LABORATORY,), 80)
ULTRASOUND = Bill("Imagerie", ("CENTRE D'IMAGERIE DU PARC",), (acts.ULTRASOUND,), 50)
PHYSIOTHERAPY = Bill("Kinésithérapie", ("CABINET KINÉ SANTÉ",), (acts.PHYSIOTHERAPY,), 40)
NURSE = Bill("Soins infirmiers", ("CABINET INFIRMIER DU CENTRE",), (acts.NURSE,), 70)
MIDWIFE = Bill("Sage-femme", ("MME COLIN, SAGE-FEMME",), (acts.MIDWIFE,), 30)
EMERGENCY = Bill("Urgences", ("CENTRE HOSPITALIER UNIVERSITAIRE",), (acts.EMERGENCY,), 60)
HEALTH_CENTRE = Bill("Centre de santé", ("CENTRE DE SANTÉ MUNICIPAL",), (acts.HEALTH_CENTRE,), 90)
HOSPITAL = Bill(
    "Hospitalisation", ("CLINIQUE SAINT-JEAN", "HÔPITAL PRIVÉ"), (acts.DAILY_FEE, acts.PRIVATE_ROOM, acts.HEAVY_ACT), 85
)
DENTAL_CARE = Bill("Soins dentaires", ("DR MARCHAL, DENTISTE",), (acts.SCALING, acts.CAVITY), 20)
CROWN_NO_REST = Bill("Prothèse dentaire", ("DR MARCHAL, DENTISTE",), (acts.CROWN_NO_REST,), 60, 30)
CROWN_FREE_PRICE = Bill("Prothèse dentaire", ("DR SIMONET, DENTISTE",), (acts.CROWN_FREE_PRICE,), 10, 60)
GLASSES_NO_REST = Bill("Optique", ("OPTIQUE LUMIÈRE",), (acts.FRAME_NO_REST, acts.LENSES_NO_REST), 90)
GLASSES_FREE_PRICE = Bill("Optique", ("OPTIQUE DU THÉÂTRE",), (acts.FRAME_FREE_PRICE, acts.LENSES_FREE_PRICE), 50, 60)
HEARING_AID = Bill("Audioprothèse", ("AUDITION CLAIRE",), (acts.HEARING_AID,), 80)
OSTEOPATHY = Bill("Ostéopathie", ("M. FABRE, OSTÉOPATHE",), (acts.OSTEOPATHY,), 0, 100)
TRANSPORT = Bill("Transport", ("AMBULANCES DU VAL",), (acts.SICK_TRANSPORT,), 90)

_VISITS: Final[tuple[tuple[int, tuple[Bill, ...]], ...]] = (
    (24, (GP, PHARMACY)),
    (9, (GP, PHARMACY_LONG, LABORATORY)),
    (12, (GP,)),
    (10, (PHARMACY_LONG,)),
    (5, (SPECIALIST, PHARMACY)),
    (4, (SPECIALIST_FREE_PRICE,)),
    (3, (SPECIALIST, ULTRASOUND)),
    (4, (LABORATORY,)),
    (6, (PHYSIOTHERAPY,)),
    (3, (NURSE, PHARMACY)),
    (2, (MIDWIFE,)),
    (2, (EMERGENCY, PHARMACY)),
    (3, (HEALTH_CENTRE,)),
    (2, (HOSPITAL, TRANSPORT)),
    (5, (DENTAL_CARE,)),
    (1, (CROWN_NO_REST,)),
    (1, (CROWN_FREE_PRICE,)),
    (2, (GLASSES_NO_REST,)),
    (1, (GLASSES_FREE_PRICE,)),
    (1, (HEARING_AID,)),
    (4, (OSTEOPATHY,)),
)


_WEIGHTS: Final = [weight for weight, _ in _VISITS]
_ADULTS_ONLY: Final = {MIDWIFE, HEARING_AID, CROWN_NO_REST, CROWN_FREE_PRICE}


def draw(rng: Random, *, adult: bool, woman: bool) -> tuple[Bill, ...]:
    """The bills of one visit that such a person may have."""
    while True:
        bills = rng.choices(_VISITS, _WEIGHTS)[0][1]
        if (adult or _ADULTS_ONLY.isdisjoint(bills)) and (woman or MIDWIFE not in bills):
            return bills
