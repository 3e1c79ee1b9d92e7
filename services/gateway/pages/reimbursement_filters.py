"""What « Mes remboursements » is filtered by: the form as typed, and the token that carries it in addresses.

What is looked for tells of an illness, so no address shows it: the form is posted, and the list that answers has a
token in its address that only this portal opens, and only for the member who made it. Proxies, logs and the
browser's history hold nothing else; the back button, reloading and paging need no more.
"""

import re
from calendar import monthrange
from datetime import date, datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shared import clock
from shared.sealing import Keyring, SealingError

YEARS: Final = 5
"""How many years are offered by name; any other period by its dates."""
DATES: Final = "dates"
DOMAINS: Final = ("PHAR", "MED", "RLAX", "SAGE", "EXTE", "CSTE", "HOSP", "OPTI", "DESO", "DEPR", "AUDI", "DIV")
STATUSES: Final = ("received", "paid", "refused", "reversed", "reversal")
FIELDS: Final = {
    "from": "du",
    "to": "au",
    "beneficiary": "pour",
    "status": "statut",
    "domain": "domaine",
    "q": "recherche",
}
"""claims' names of the filters, and the form's."""

_CONTEXT: Final = "reimbursement-filters"
_LAST_MONTHS: Final = {"3-mois": 3, "12-mois": 12}
_YEAR: Final = re.compile(r"[0-9]{4}")
_LONGEST: Final = 120
"""Of what is typed: more than claims takes, so that it can say so."""

Text = Annotated[str, AfterValidator(lambda text: text[:_LONGEST])]


class Filters(BaseModel):
    """The form as typed; what is empty filters by nothing. `montrees`: the dates that stood in it before."""

    model_config = ConfigDict(frozen=True)

    periode: Text = ""
    du: Text = ""
    au: Text = ""
    montrees: Text = ""
    pour: Text = ""
    statut: Text = ""
    domaine: Text = ""
    recherche: Text = ""

    @classmethod
    def of_month(cls, day: date) -> "Filters":
        """The month that `day` is in."""
        return cls._between(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))

    @classmethod
    def of_year(cls, year: int, domain: str = "") -> "Filters":
        """A year, by its name where the form offers it; all of it, or one domain."""
        if year in years():
            return cls(periode=str(year), domaine=domain)
        return cls._between(date(year, 1, 1), date(year, 12, 31)).model_copy(update={"domaine": domain})

    @classmethod
    def _between(cls, first: date, last: date) -> "Filters":
        return cls(periode=DATES, du=first.isoformat(), au=last.isoformat())

    @property
    def dates(self) -> str:
        """Both, in one text."""
        return f"{self.du}/{self.au}"

    def settled(self) -> "Filters":
        """What is meant: new dates are the period whatever else is chosen, old ones only until another is chosen."""
        new = bool(self.du or self.au) and self.dates != self.montrees
        period = DATES if new else self.periode
        dates = {} if period == DATES else {"du": "", "au": ""}
        return self.model_copy(update={"periode": period, "montrees": "", **dates})

    @property
    def any(self) -> bool:
        """Whether the list is filtered at all."""
        return bool(self.query(today()))

    @property
    def more(self) -> bool:
        """Whether it is filtered by what the form does not show at first."""
        return bool(self.recherche or self.statut or self.domaine or self.periode == DATES)

    def query(self, today: date) -> dict[str, str]:
        """The same as claims asks for it. A day that is none is left for claims to refuse."""
        first, last = self._days(today)
        asked = (first, last, self.pour, self.statut, self.domaine, self.recherche.strip())
        return {name: value for name, value in zip(FIELDS, asked, strict=True) if value}

    def _days(self, today: date) -> tuple[str, str]:
        if self.periode == DATES:
            return _iso(self.du), _iso(self.au)
        if months := _LAST_MONTHS.get(self.periode):
            return _months_before(today, months).isoformat(), ""
        if _YEAR.fullmatch(self.periode):
            return f"{self.periode}-01-01", f"{self.periode}-12-31"
        return "", ""


class Place(BaseModel):
    """Where in which list: `filtre` is what it is filtered by, sealed; `suite` the cursor of the page before."""

    model_config = ConfigDict(frozen=True)

    filtre: str = Field(default="", max_length=4_000)
    suite: str = Field(default="", max_length=500)

    @property
    def first(self) -> "Place":
        """The beginning of the same list."""
        return Place(filtre=self.filtre)

    def __str__(self) -> str:
        """What follows a path so that a row, or a way back, is of this place."""
        named = self.model_dump(exclude_defaults=True)
        return f"?{urlencode(named)}" if named else ""


class FilterTokens:
    """Seals filters for an address, and opens them."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, member: str | None, filters: Filters) -> str:
        """The token; empty where nothing is filtered."""
        if member is None or not filters.any:
            return ""
        sealed = _Sealed(member=member, typed=filters).model_dump_json(exclude_defaults=True)
        return self._keyring.seal_at_rest(sealed, context=_CONTEXT)

    def open(self, member: str | None, token: str) -> Filters | None:
        """What it holds; none for what is not ours, is another member's, or was sealed with a key that is gone."""
        if not token:
            return Filters()
        try:
            sealed = _Sealed.model_validate_json(self._keyring.open_at_rest(token, context=_CONTEXT))
        except (SealingError, ValidationError):
            return None
        return sealed.typed if sealed.member == member else None


class _Sealed(BaseModel):
    member: str
    typed: Filters


def today() -> date:
    """Today in France."""
    return clock.day_in_france(clock.now())


def years() -> list[int]:
    """The years that are offered by name, newest first."""
    return list(range(today().year, today().year - YEARS, -1))


def _iso(typed: str) -> str:
    """A day as a date field sends it, or as it is written in French; anything else as it is."""
    try:
        return datetime.strptime(typed.strip(), "%d/%m/%Y").date().isoformat()  # noqa: DTZ007 - a day, not an instant
    except ValueError:
        return typed.strip()


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
