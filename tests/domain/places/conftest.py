"""What the tests of imports have in common."""

import pytest

from enrollment.ground.accounts import SYSTEM
from enrollment.places.imports import importer
from enrollment.places.imports.faults import ImportFaults
from tests.domain.places.office_lists import listed


@pytest.fixture
def take_in(town):
    """Take a file in as the operator of the machine does."""
    town.area()

    def take(kind, content, *, by=SYSTEM, year=2026, overwrite=()):
        more = {"by": by, "now": town.now, "year": year, "overwrite": overwrite}
        return importer.import_file(town.session, kind, "名册.xlsx", content, **more)

    return take


@pytest.fixture
def faults_of(take_in):
    """The faults of a file as (cell, code)."""

    def faults(kind, content, **more):
        with pytest.raises(ImportFaults) as raised:
            take_in(kind, content, **more)
        return [(fault.cell, fault.code) for fault in raised.value.faults]

    return faults


@pytest.fixture
def three(take_in):
    """The kindergartens 51010499001 to 3, of three sheets."""
    return take_in("kindergartens", listed("two_sheets"))
