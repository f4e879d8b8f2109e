"""One-time codes and passwords: validity, lifetime and limits."""

import datetime as dt

import pyotp

from enrollment.ground import sign_in
from enrollment.ground.accounts import RoleGrant
from tests.support.prepared import prepared

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


@prepared
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


STRANGER = sign_in.Asker(browser="stranger", address="203.0.113.9")
OWNER = sign_in.Asker(browser="owner", address="198.51.100.4")


def test_fam27_a_strangers_requests_neither_replace_nor_use_up_the_owners_codes(session, now):
    code = sign_in.send_code(session, PHONE, now=now, asker=OWNER)
    for n in range(sign_in.CODES_AN_HOUR):
        assert sign_in.send_code(session, PHONE, now=now + dt.timedelta(seconds=n), asker=STRANGER)
        for _guess in range(sign_in.CODE_TRIES):
            assert not sign_in.use_code(session, PHONE, "wrong!", now=now, asker=STRANGER)
    assert sign_in.send_code(session, PHONE, now=now, asker=STRANGER) is None
    assert not sign_in.use_code(session, PHONE, code, now=now, asker=STRANGER), "a code is for whoever asked for it"
    assert sign_in.use_code(session, PHONE, code, now=now, asker=OWNER)


def test_fam27_many_strangers_leave_the_owners_known_browser_its_codes(session, now):
    strangers = [sign_in.Asker(f"browser {n}", f"203.0.113.{n}") for n in range(sign_in.CODES_FOR_STRANGERS)]
    for asker in strangers:
        assert sign_in.send_code(session, PHONE, now=now, asker=asker)
    assert sign_in.send_code(session, PHONE, now=now, asker=OWNER) is None
    known = sign_in.Asker(OWNER.browser, OWNER.address, known=True)
    assert sign_in.send_code(session, PHONE, now=now, asker=known)


def test_fam27_the_wait_is_told_until_the_oldest_code_is_an_hour_old(session, now):
    for n in range(sign_in.CODES_AN_HOUR):
        assert sign_in.waiting_time(session, PHONE, now=now, asker=OWNER) == dt.timedelta()
        sign_in.send_code(session, PHONE, now=now + dt.timedelta(minutes=n), asker=OWNER)
    later = now + dt.timedelta(minutes=20)
    assert sign_in.waiting_time(session, PHONE, now=later, asker=OWNER) == dt.timedelta(minutes=40)
    assert sign_in.send_code(session, PHONE, now=later + dt.timedelta(minutes=41), asker=OWNER)
