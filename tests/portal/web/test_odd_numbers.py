"""What only looks like a number, or is larger than its column, is an old version, another page, or a fault beside its field."""

import pytest

from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

ODD = ("²", "9" * 12, "9" * 30, "9" * 5000)


@prepared
def here(town):
    town.garden = town.kindergarten("锦官园", places=2)
    town.open_registration()
    town.ana = town.child("安娜", wishes=[town.garden])
    town.officials = town.city_pair()
    return town


@pytest.mark.parametrize("value", ODD)
def test_a_version_that_is_no_number_is_an_old_one(here, client, value):
    sign_in(client, here.ana.entered_by)
    page = f"/parents/applications/{here.ana.id}/needs"
    answer = fill_in(client, page, page, version=value, agrees="y", note="怕黑")
    assert answer.status_code in (200, 409)


@pytest.mark.parametrize("value", ODD[:3])
def test_the_page_of_a_list_that_has_no_such_page_is_shown(here, client, value):
    sign_in(client, here.ana.entered_by)
    assert client.get("/parents/messages", query_string={"page": value}).status_code == 200
    sign_in(client, here.officials[0].account_id)
    year = here.the_round.year
    assert client.get(f"/officials/{year}/audit", query_string={"before": value}).status_code == 200
    for path in ("places", "messages", "accounts", "corrections", "cases"):
        answer = client.get(f"/officials/{year}/{path}", query_string={"page": value})
        assert answer.status_code == 200, path


@pytest.mark.parametrize("value", ODD)
def test_a_number_of_a_form_that_no_column_holds_is_a_fault_of_its_field(here, client, value):
    sign_in(client, here.officials[0].account_id)
    page = f"/officials/{here.the_round.year}/planning/measures/new"
    answer = fill_in(client, page, page, name="新园", kind="new_garden", places=value, cost="1", yearly="1")
    assert answer.status_code == 200
    assert "请填写整数" in answer.text
