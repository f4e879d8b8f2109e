"""A child that is adopted during the season: name and number change in one decision, and the notice once."""

import pytest
from sqlalchemy import func, select

from enrollment.corrections import corrected_values
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import ReplacedNotice
from tests.support.town_families import id_number


@pytest.fixture
def placed(town):
    town.ana = town.child("安那", wishes=[town.kindergarten("金苹果", places=2)])
    town.drawn(town.ana)
    town.confirm(town.ana)
    return town


def test_an_adopted_child_gets_name_and_number_together(placed):
    town, child = placed, placed.ana.child
    old = town.offer_for(town.ana).notice_code
    number = id_number(child.born, child.sex)
    request = town.requests_correction(town.ana, "document", id_kind="resident", id_number=number, name="林安")
    assert corrected_values.after_of(request) == {"id_number": number, "name": "林安"}
    town.two_agree(request)
    assert (child.name, child.id_number) == ("林安", number)
    assert town.offer_for(town.ana).notice_code != old
    replaced = select(func.count()).select_from(ReplacedNotice)
    assert town.session.scalar(replaced) == 1, "no notice vouched for the new name with the old number"


def test_a_new_number_without_a_name_keeps_the_name(placed):
    town, child = placed, placed.ana.child
    number = id_number(child.born, child.sex)
    town.two_agree(town.requests_correction(town.ana, "document", id_kind="resident", id_number=number, name=" "))
    assert (child.name, child.id_number) == ("安那", number)
    with pytest.raises(Refused, match="correction_changes_nothing") as refused:
        town.requests_correction(town.ana, "document", id_kind="resident", id_number=number, name="安那")
    assert refused.value.field == "id_number"
