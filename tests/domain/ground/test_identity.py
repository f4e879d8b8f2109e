"""Identity numbers by GB 11643, and numbers of other documents."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment.ground import identity
from enrollment.ground.errors import Refused

TODAY = dt.date(2026, 5, 22)
PROVED = "11010519491231002X"  # the worked example of the standard itself


def refusal(kind: str, typed: str) -> str:
    with pytest.raises(Refused) as refused:
        identity.check(kind, typed, today=TODAY)
    return refused.value.code


def test_the_example_of_the_standard():
    found = identity.check("resident", PROVED, today=TODAY)
    assert (found.number, found.born, found.sex) == (PROVED, dt.date(1949, 12, 31), "f")


@pytest.mark.parametrize(
    "typed",
    ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ", "110105-19491231-002x"],
)
def test_input_of_phones_is_normalised(typed):
    assert identity.check("resident", typed, today=TODAY).number == PROVED


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "id_empty"),
        ("   ", "id_empty"),
        ("1101051949123100", "id_length"),
        ("110105194912310021", "id_checksum"),
        ("11010519491331002X", "id_birth_date"),
        ("11010520490230002X", "id_birth_date"),
        ("990105194912310021", "id_region"),
        ("1101051949123100２", "id_length"),
        ("1101051949123100XX", "id_characters"),
        ("１１０１０５１９４９１２３１００２①", "id_checksum"),
        ("٣١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "id_characters"),
    ],
)
def test_an_invalid_number_is_refused_with_its_reason(typed, code):
    assert refusal("resident", typed) == code


def test_a_birth_in_the_future_is_refused():
    first = "51010420260523" + "002"
    assert refusal("resident", first + identity.check_character(first)) == "id_birth_in_future"


@pytest.mark.parametrize(
    ("kind", "prefix", "fits"),
    [
        ("hk_macau_residence", "810000", True),
        ("hk_macau_residence", "820000", True),
        ("taiwan_residence", "830000", True),
        ("resident", "810000", False),
        ("taiwan_residence", "810000", False),
        ("hk_macau_residence", "510104", False),
    ],
)
def test_residence_permits_have_prefixes_of_their_own(kind, prefix, fits):
    first = prefix + "20230312" + "003"
    number = first + identity.check_character(first)
    if fits:
        assert identity.check(kind, number, today=TODAY) == identity.Identity(kind, number, dt.date(2023, 3, 12), "m")
    else:
        assert refusal(kind, number) == "id_region"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("hk_macau_permit", "H12345678"),
        ("hk_macau_permit", "M1234567801"),
        ("taiwan_permit", "12345678"),
        ("foreign_residence", "USA510012345678"),
        ("passport", "E12345678"),
    ],
)
def test_other_documents_contain_no_birth_date(kind, number):
    found = identity.check(kind, number.lower(), today=TODAY)
    assert (found.number, found.born, found.sex) == (number, None, None)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("hk_macau_permit", "X12345678"),
        ("taiwan_permit", "1234567"),
        ("passport", "E1"),
        ("foreign_residence", "US123"),
    ],
)
def test_other_documents_have_a_format(kind, number):
    assert refusal(kind, number) == "id_form"


def test_an_unknown_kind_is_refused():
    assert refusal("library_card", PROVED) == "id_kind"


@given(st.dates(dt.date(1930, 1, 1), TODAY), st.integers(0, 999), st.integers(0, 17), st.characters(codec="ascii"))
def test_one_wrong_character_never_passes(born, order, place, other):
    first = f"510104{born:%Y%m%d}{order:03d}"
    number = first + identity.check_character(first)
    assert identity.check("resident", number, today=TODAY).born == born
    changed = number[:place] + other + number[place + 1 :]
    if changed.upper() == number:
        return
    with pytest.raises(Refused):
        identity.check("resident", changed, today=TODAY)
