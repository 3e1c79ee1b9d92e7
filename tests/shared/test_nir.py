import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import nir
from shared.nir import InvalidNir

VALID = ["284057511700128", "255081416802538", "284052A32102552", "284202B32102528"]


@pytest.mark.parametrize("text", VALID)
def test_a_nir_is_kept_without_its_key(text: str) -> None:
    assert nir.normalise(text) == text[:13]
    assert nir.normalise(text[:13]) == text[:13]
    assert nir.key(nir.normalise(text)) == text[13:]


@pytest.mark.parametrize(
    "text",
    ["2 84 05 75 117 001 28", "2.84.05.75.117.001.28", " 2840575117001\u202f28 ", "2\u00a084\u00a005 75 117 001"],
)
def test_a_nir_may_be_typed_as_it_is_printed(text: str) -> None:
    assert nir.normalise(text) == "2840575117001"


def test_corsica_may_be_typed_in_lower_case() -> None:
    assert nir.normalise("284052a32102552") == "284052A321025"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        ("284057511700", "12 characters"),
        ("28405751170012", "half a key"),
        ("2840575117001289", "16 characters"),
        ("284057511700129", "wrong key"),
        ("384057511700128", "sex 3"),
        ("284007511700128", "month 00"),
        ("2841375117001", "month 13"),
        ("2841975117001", "month 19"),
        ("284052C321025", "2C"),
        ("28405A7117001", "letter elsewhere"),
        ("٢٨٤٠٥٧٥١١٧٠٠١", "Arabic digits"),
        ("2840575117001ab", "key of letters"),
        ("2840575117001²8", "superscript"),
    ],
)
def test_what_is_no_nir_is_refused_without_repeating_it(text: str, why: str) -> None:
    with pytest.raises(InvalidNir) as caught:
        nir.normalise(text)

    assert not text or text not in str(caught.value), why


@pytest.mark.parametrize("month", ["01", "12", "20", "42", "99"])
def test_months_that_are_unknown_or_not_of_the_calendar(month: str) -> None:
    assert nir.normalise(f"284{month}75117001") == f"284{month}75117001"


def test_a_nir_is_printed_in_groups_and_masked() -> None:
    laure = nir.normalise("284057511700128")

    assert nir.grouped(laure) == "2 84 05 75 117 001 28"
    assert nir.masked(laure) == "2 84 •• •• ••• ••• ••"


@given(st.from_regex(r"[12][0-9]{2}(0[1-9]|1[0-2])([0-9]{2}|2A|2B)[0-9]{6}", fullmatch=True), st.integers(1, 97))
def test_exactly_one_key_fits(number: str, key: int) -> None:
    fits = nir.key(nir.Nir(number)) == f"{key:02d}"

    if fits:
        assert nir.normalise(f"{number}{key:02d}") == number
    else:
        with pytest.raises(InvalidNir):
            nir.normalise(f"{number}{key:02d}")


@given(st.text())
def test_any_text_is_a_nir_or_not(text: str) -> None:
    with contextlib.suppress(InvalidNir):
        assert len(nir.normalise(text)) == 13
