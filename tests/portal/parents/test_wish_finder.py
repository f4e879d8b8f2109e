"""The list of kindergartens that a family can choose says by what it is sorted."""

import pytest

from tests.portal.parents.desk import page
from tests.support.signing_in import sign_in


@pytest.mark.parametrize(
    ("household", "said"),
    [
        ({"home_area": "510104", "home_street": "牛市口街道"}, "离家近的在前"),
        ({"home_area": "510104", "home_street": "东湖街道"}, "您家街道的在前"),
        ({"home_area": "510104", "home_street": None}, "再按园名"),
    ],
)
def test_the_finder_says_nearest_first_only_if_it_knows_where_the_home_is(client, town, household, said):
    garden = town.kindergarten("锦官园", places=2, street="牛市口街道", longitude=104.1, latitude=30.6)
    town.kindergarten("牡丹园", places=2)
    ana = town.child("安娜", wishes=[garden], submit=False, **household)
    town.session.commit()
    client = sign_in(client, ana.entered_by)
    lead = page(client.get(f"/parents/applications/{ana.id}/wishes/add")).select_one(".lead").get_text(" ", strip=True)
    assert said in lead
    assert ("离家近的在前" in lead) == (said == "离家近的在前")
    client.set_cookie("lang", "en", domain="localhost")
    lead = page(client.get(f"/parents/applications/{ana.id}/wishes/add")).select_one(".lead").get_text(" ", strip=True)
    assert ("not sorted by distance" in lead) == (said != "离家近的在前")
