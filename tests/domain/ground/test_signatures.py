"""Acts that need two people."""

import datetime as dt
import uuid

import pytest

from enrollment.ground import signatures
from enrollment.ground.accounts import CITY, Account, Office, Role, RoleGrant
from enrollment.ground.errors import Refused
from enrollment.ground.signatures import Signature
from tests.support.staff_leaving import loses_the_role


def test_two_different_people_sign_one_digest(town):
    first, second, what = town.city_official("one"), town.city_official("two"), uuid.uuid4()
    assert signatures.sign(town.session, "run", what, "a" * 64, office=CITY, by=first, now=town.now) == 1
    assert signatures.sign(town.session, "run", what, "a" * 64, office=CITY, by=second, now=town.now) == 2


def test_nobody_signs_twice(town):
    first, what = town.city_official("one"), uuid.uuid4()
    signatures.sign(town.session, "run", what, "a" * 64, office=CITY, by=first, now=town.now)
    with pytest.raises(Refused, match="signed_already"):
        signatures.sign(town.session, "run", what, "a" * 64, office=CITY, by=first, now=town.now)


def test_a_signature_under_another_digest_does_not_count(town):
    first, second, what = town.city_official("one"), town.city_official("two"), uuid.uuid4()
    signatures.sign(town.session, "run", what, "a" * 64, office=CITY, by=first, now=town.now)
    assert signatures.sign(town.session, "run", what, "b" * 64, office=CITY, by=second, now=town.now) == 1


def test_a_first_signature_counts_while_its_person_may_decide_this_subject(town):
    """An official of an area has signed for it, one of another area has not; a city official decides for every area."""
    here, there, city = town.area_official("510104"), town.area_official("510105"), town.city_official()
    first, what, office = town.area_official("510104"), uuid.uuid4(), Office(area="510104")

    def sign(by):
        return signatures.sign(town.session, "policy", what, "a" * 64, office=office, by=by, now=town.now)

    assert [sign(by) for by in (first, there)] == [1, 2], "the caller refuses whoever may not decide"
    assert sign(here) == 2, "the other area is none of the two"
    loses_the_role(town, first)
    assert sign(city) == 2
    counted = signatures.signatures_of(town.session, "policy", what, "a" * 64, office=office)
    assert {each.account_id for each in counted} >= {first.account_id, there.account_id}, (
        "who has decided stays on record"
    )


def gets_the_role_back(town, person):
    account = town.session.get_one(Account, person.account_id)
    account.grants.append(RoleGrant(role=Role.CITY_OFFICIAL))
    town.session.flush()


def test_whoever_gets_the_role_back_signs_beside_the_one_who_signed_alone(town):
    """Nothing was carried out with one counted signature: no page may say that two have signed and nobody can sign."""
    first, second, what = town.city_official(), town.city_official(), uuid.uuid4()

    def sign(by):
        town.at(town.now + dt.timedelta(minutes=1))
        return signatures.sign(town.session, "run", what, "a" * 64, office=CITY, by=by, now=town.now)

    def waiting():
        found = signatures.signatures_of(town.session, "run", what, "a" * 64, office=CITY)
        return [each.account_id for each in found]

    assert sign(first) == 1
    loses_the_role(town, first)
    assert sign(second) == 1
    gets_the_role_back(town, first)
    assert waiting() == [second.account_id]
    with pytest.raises(Refused, match="signed_already"):
        sign(second)
    assert sign(first) == 2
    assert waiting() == [second.account_id, first.account_id]
    for by in (first, second):
        with pytest.raises(Refused, match="signed_already"):
            sign(by)


def test_signatures_of_earlier_versions_are_judged_by_the_accounts_alone(town):
    """They do not say with whom they counted: two of them stay, also when a role was taken since; one alone does not."""
    people, what = [town.city_official(), town.city_official()], uuid.uuid4()

    def counted():
        found = signatures.signatures_of(town.session, "run", what, "a" * 64, office=CITY)
        return {each.account_id for each in found}

    for by in people:
        told = {"subject": "run", "subject_id": what, "digest": "a" * 64, "signed_at": town.now}
        town.session.add(Signature(account_id=by.account_id, **told))
        town.session.flush()
        loses_the_role(town, by)
        assert counted() == (set() if by is people[0] else {each.account_id for each in people})
