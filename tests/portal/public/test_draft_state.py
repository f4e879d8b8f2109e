"""FAM21: what a page learns before it sends what the browser keeps: whose session it is, and what has arrived."""

from tests.portal.parents.desk import page
from tests.support.signing_in import hidden_fields, sign_in

STATE = "/drafts/state"


def test_fam21_a_form_has_arrived_when_its_act_was_done_and_for_its_sender_alone(client, town):
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    ana = town.child("安娜", wishes=[garden], submit=False)
    sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/household"
    shown = client.get(path)
    owner = page(shown).select_one("meta[name=draft-owner]")["content"]
    said = hidden_fields(shown.text)
    asked = {"key": said["idempotency_key"]}
    state = client.get(STATE, query_string=asked).json
    assert state.pop("token") and state == {"owner": owner, "arrived": []}
    assert client.post(path, data=said | {"hukou_kind": "elsewhere"}).status_code == 200, "the home is missing"
    assert client.get(STATE, query_string=asked).json["arrived"] == []
    home = {"hukou_kind": "elsewhere", "home_area": "510104"}
    assert client.post(path, data=said | home).status_code == 303
    assert client.get(STATE, query_string=asked).json["arrived"] == [said["idempotency_key"]]
    sign_in(client, town.family("王").account)
    told = client.get(STATE, query_string=asked)
    assert told.json["arrived"] == []
    assert told.json["owner"] != owner
    assert told.headers["Cache-Control"] == "no-store"


def test_fam21_nobody_signed_in_owns_nothing_and_a_helpers_machine_keeps_nothing(client, town):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    assert client.get(STATE, query_string={"key": ["x", "y"]}).json == {"owner": None, "arrived": []}
    helper = town.helper("小杨", "helper1")
    sign_in(client, helper.account_id)
    assert "draft-owner" not in client.get("/helpers/new").text
