"""Objects of another family, kindergarten or area are a 404."""

from bs4 import BeautifulSoup

from enrollment.applications import sibling_binding
from tests.support.signing_in import sign_in


def test_a_guardian_does_not_see_the_other_guardians_child_from_elsewhere(client, town):
    """They share one child; the other child of the second guardian stays hidden from the first."""
    town.kindergarten("锦官园", places=2)
    shared = town.child("共同的", submit=False)
    other = town.second_guardian(shared, "王")
    hidden = town.child("另一个家的", family=other, submit=False)
    assert hidden.family_code == shared.family_code
    mine = town.parent_of(shared)
    assert sibling_binding.may_bind(town.session, shared, by=mine) == []
    assert [one.id for one in sibling_binding.may_bind(town.session, shared, by=other.actor)] == [hidden.id]
    sign_in(client, mine.account_id)
    for page in ("", "/tasks", "/together", "/evidence", "/check", "/invite"):
        answer = client.get(f"/parents/applications/{shared.id}{page}")
        assert "另一个家的" not in answer.text, page


def test_another_familys_pages_and_a_strangers_objects_are_not_found(client, town):
    garden = town.kindergarten("锦官园", places=2)
    ana, ben = town.child("安娜", wishes=[garden]), town.child("本恩", wishes=[garden])
    sign_in(client, ben.entered_by)
    token = BeautifulSoup(client.get("/parents/guardian").text, "lxml").select_one("[name=csrf_token]")["value"]
    base = f"/parents/applications/{ana.id}"
    for tail in (
        "",
        "/child",
        "/household",
        "/grounds",
        "/evidence",
        "/wishes",
        "/check",
        "/receipts/1",
        "/result",
        "/notice.pdf",
    ):
        assert client.get(base + tail).status_code == 404, tail
    for tail in ("/child", "/household", "/wishes", "/check", "/withdraw", "/again", "/invite"):
        assert client.post(base + tail, data={"csrf_token": token}).status_code == 404, tail


def test_a_clerk_elsewhere_finds_no_application_and_takes_none(client, town):
    garden, elsewhere = town.kindergarten("锦官园", places=2), town.kindergarten("别家园", places=2)
    ana = town.child("安娜", wishes=[garden])
    town.registration_is_over()
    sign_in(client, town.clerk_of(elsewhere).account_id)
    token = BeautifulSoup(client.get("/staff/queue").text, "lxml").select_one("[name=csrf_token]")["value"]
    assert client.get(f"/staff/applications/{ana.id}").status_code == 404
    for act in ("take", "release", "facts", "send-back", "refuse"):
        assert client.post(f"/staff/applications/{ana.id}/{act}", data={"csrf_token": token}).status_code == 404, act
    assert client.get(f"/staff/places?at={garden.id}").status_code == 404
    assert client.get(f"/staff/roll/export.csv?at={garden.id}&what=children").status_code == 404
