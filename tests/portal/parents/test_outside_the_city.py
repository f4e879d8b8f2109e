"""A family outside the city is neither offered nor promised a central placement."""

import pytest

from tests.portal.parents.desk import page
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in


@prepared
def outside(town, client):
    garden = town.kindergarten("金苹果", places=1)
    found = town.child("安娜", wishes=[garden], submit=False, home_area=None, home_outside=True, home_street=None)
    town.session.commit()
    sign_in(client, found.entered_by)
    return found


@pytest.mark.parametrize(
    ("language", "told"), [("zh", "不能参加统筹安排"), ("en", "cannot take part in central placement")]
)
def test_a_family_outside_the_city_is_not_asked_about_central_placement(town, client, outside, language, told):
    path = f"/parents/applications/{outside.id}/check"
    shown = page(client.get(f"{path}?lang={language}"))
    assert shown.select_one("[name=agrees_to_central]") is None
    assert told in shown.main.get_text()
    assert fill_in(client, path, true="y", agrees_to_central="y").status_code == 303
    town.session.expire_all()
    assert outside.agrees_to_central is False


def test_a_result_without_a_place_promises_no_distance_to_a_family_outside(town, client, frozen_clock):
    garden = town.kindergarten("金苹果", places=1)
    away = {"home_area": None, "home_outside": True, "home_street": None}
    both = [town.child(name, wishes=[garden], **away) for name in ("安娜", "本本")]
    for each in both:
        each.agrees_to_central = True  # agreed before it moved away
    town.drawn(*both)
    [loser] = [each for each in both if town.last_offer_for(each) is None]
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, loser.entered_by)
    for language, told, promise in (
        ("zh", "不参加统筹安排", "区里会按离家的距离推荐"),
        ("en", "no central placement", "are offered a free place"),
    ):
        shown = page(client.get(f"/parents/applications/{loser.id}/result?lang={language}")).main.get_text()
        assert told in shown
        assert promise not in shown
