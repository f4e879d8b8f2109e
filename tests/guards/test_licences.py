"""No package comes in whose licence nobody has looked at."""

import pytest

from tests.support import licences


def test_every_pinned_package_has_an_allowed_licence():
    found = licences.licences()
    assert len(found) > 50
    assert [f"{each.package}: {each.stated}" for each in found if not each.allowed] == []


def test_an_exception_names_a_package_that_is_pinned_and_needs_it():
    assert {each.package for each in licences.licences() if each.needs_a_reason} == set(licences.EXCEPTIONS)


@pytest.mark.parametrize(
    ("stated", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("(GPL-3.0-only OR MIT) AND MIT", False),
        ("not stated", False),
    ],
)
def test_an_expression_is_read_as_spdx_says(stated, allowed):
    assert licences.is_allowed(stated) is allowed


def test_a_line_for_another_system_is_left_out():
    lock = "flask==3.1.3 \\\n    --hash=sha256:00\ncolorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:11\n"
    assert licences.pinned(lock) == {"flask": "3.1.3"}
