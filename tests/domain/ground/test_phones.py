"""FAM11: telephone numbers of any country are one type, and are found however they are written."""

import pytest

from enrollment.ground.errors import Refused
from enrollment.ground.phones import country_code, mask_phone, parse_phone, phone_index
from enrollment.ground.vault import blind_index


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("13900000001", "+8613900000001"),
        ("１３９ 0000-0001", "+8613900000001"),
        ("+86 139 0000 0001", "+8613900000001"),
        ("0086 13900000001", "+8613900000001"),
        ("+852 9123 4567", "+85291234567"),
        ("+1 (212) 555-0123", "+12125550123"),
    ],
)
def test_fam11_a_number_is_one_however_it_is_written(typed, number):
    assert parse_phone(typed) == number
    assert phone_index(typed) == phone_index(number)


@pytest.mark.parametrize("typed", ["", "1234", "02885550000", "+852 1", "abc", "+86 12900000001"])
def test_fam11_what_is_no_number_is_refused(typed):
    with pytest.raises(Refused) as refused:
        parse_phone(typed)
    assert (refused.value.code, refused.value.field) == ("phone_form", "phone")


def test_fam11_rows_from_before_are_found():
    assert phone_index("+8613900000001") == blind_index("13900000001", "phone")


def test_fam11_a_shown_number_keeps_its_country_and_its_end():
    assert mask_phone("+8613900000001") == "139****0001"
    assert mask_phone("+85291234567") == "+852****4567"
    assert country_code("+85291234567") == "852"
