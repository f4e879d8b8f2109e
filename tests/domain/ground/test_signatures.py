"""Acts that need two people."""

import uuid

import pytest

from enrollment.ground import signatures
from enrollment.ground.errors import Refused


def test_two_different_people_sign_one_digest(town):
    first, second, what = town.city_official("one"), town.city_official("two"), uuid.uuid4()
    assert signatures.sign(town.session, "run", what, "a" * 64, by=first, now=town.now) == 1
    assert signatures.sign(town.session, "run", what, "a" * 64, by=second, now=town.now) == 2


def test_nobody_signs_twice(town):
    first, what = town.city_official("one"), uuid.uuid4()
    signatures.sign(town.session, "run", what, "a" * 64, by=first, now=town.now)
    with pytest.raises(Refused, match="signed_already"):
        signatures.sign(town.session, "run", what, "a" * 64, by=first, now=town.now)


def test_a_signature_under_another_digest_does_not_count(town):
    first, second, what = town.city_official("one"), town.city_official("two"), uuid.uuid4()
    signatures.sign(town.session, "run", what, "a" * 64, by=first, now=town.now)
    assert signatures.sign(town.session, "run", what, "b" * 64, by=second, now=town.now) == 1
