"""One-time codes and passwords: validity, lifetime and limits."""

import datetime as dt

import pyotp
import pytest

from enrollment.ground import sign_in
from enrollment.ground.accounts import RoleGrant

PHONE = "13900000077"


def test_a_code_is_valid_once(session, now):
    code = sign_in.send_code(session, PHONE, now=now)
    assert sign_in.use_code(session, PHONE, code, now=now)
    assert not sign_in.use_code(session, PHONE, code, now=now)


def test_a_code_is_valid_for_its_phone_for_ten_minutes(session, now):
    code = sign_in.send_code(session, PHONE, now=now)
    assert not sign_in.use_code(session, "13900000078", code, now=now)
    assert not sign_in.use_code(session, PHONE, code, now=now + sign_in.CODE_LIFETIME)


def test_five_wrong_attempts_invalidate_a_code(session, now):
    code = sign_in.send_code(session, PHONE, now=now)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _try in range(sign_in.CODE_TRIES):
        assert not sign_in.use_code(session, PHONE, wrong, now=now)
    assert not sign_in.use_code(session, PHONE, code, now=now)


def test_only_the_newest_code_is_valid(session, now):
    older = sign_in.send_code(session, PHONE, now=now)
    newer = sign_in.send_code(session, PHONE, now=now + dt.timedelta(seconds=30))
    if older != newer:
        assert not sign_in.use_code(session, PHONE, older, now=now + dt.timedelta(seconds=31))
    assert sign_in.use_code(session, PHONE, newer, now=now + dt.timedelta(seconds=32))


def test_a_phone_gets_six_codes_an_hour(session, now):
    codes = [sign_in.send_code(session, PHONE, now=now + dt.timedelta(seconds=n)) for n in range(7)]
    assert all(codes[:6])
    assert codes[6] is None
    assert sign_in.send_code(session, PHONE, now=now + dt.timedelta(hours=2))


def test_one_phone_is_one_account_however_it_is_typed(session, now):
    first = sign_in.account_of_phone(session, PHONE, now=now)
    assert sign_in.account_of_phone(session, "１３９ 0000 0077", now=now).id == first.id


@pytest.fixture
def official(session, now):
    return sign_in.create_staff_account(
        session, "Zhou", "周敏", "a long enough password", [RoleGrant(role="city_official")], now=now
    )


def test_password_and_second_factor(session, now, official):
    assert sign_in.check_password(session, "zhou", "a long enough password").id == official.id
    assert sign_in.check_password(session, "zhou", "another password") is None
    assert sign_in.check_password(session, "nobody", "a long enough password") is None
    code = pyotp.TOTP(official.second_factor).at(now)
    assert sign_in.check_second_factor(session, official.id, code, at=now)
    assert not sign_in.check_second_factor(session, official.id, code, at=now), "a code is used once"


def test_a_disabled_account_cannot_sign_in(session, now, official):
    official.disabled_at = now
    assert sign_in.check_password(session, "zhou", "a long enough password") is None
