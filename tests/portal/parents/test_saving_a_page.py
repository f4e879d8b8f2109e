"""A save looks up what it needs: the pages after the saved one, in their order, and only as far as the next open one."""

import datetime as dt

import pytest
from sqlalchemy import Engine, event

from enrollment.applications import receipts
from portal.parents import steps
from portal.parents.steps import FormState
from tests.portal.parents.desk import filled, page
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


@prepared
def places(town):
    gardens = [town.kindergarten(name, places=2) for name in ("锦江区机关第一幼儿园", "锦官新城幼儿园")]
    town.open_registration()
    return gardens


@prepared
def count(town):
    """Saves a page as it was shown; how many statements went to the database, and where the answer leads."""

    def saved(client, path, **changed):
        data = filled(client.get(path)) | changed
        town.session.commit()
        town.session.expire_all()
        statements = []

        def hear(_connection, _cursor, statement, *_more):
            statements.append(statement)

        event.listen(Engine, "before_cursor_execute", hear)
        answer = client.post(path, data=data)
        event.remove(Engine, "before_cursor_execute", hear)
        assert answer.status_code == 303
        return len(statements), answer.headers["Location"]

    return saved


DRAFT = [("wishes", 2, "check"), ("household", 3, "evidence"), ("grounds", 4, "evidence"), ("child", 3, "evidence")]
TYPED = {"wishes": {"act": ["next"]}, "grounds": {"elder_name": ["陈宇"], "elder_born": ["2021-05-01"]}}


@pytest.mark.parametrize(("name", "most", "leads_to"), DRAFT)
def test_a_save_of_a_draft_asks_few_questions(client, town, places, count, name, most, leads_to):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]}, submit=False)
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    # the process reads the policies of the year and the kindergartens once
    client.get(f"{start}/evidence")
    client.get("/kindergartens")
    statements, address = count(client, f"{start}/{name}", **TYPED.get(name, {}))
    assert address == f"{start}/{leads_to}"
    assert statements <= most


@pytest.mark.parametrize(("name", "leads_to"), [(name, leads_to) for name, _most, leads_to in DRAFT])
def test_the_same_form_of_a_draft_again_saves_it_once(client, town, places, name, leads_to):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]}, submit=False)
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    form, before = filled(client.get(f"{start}/{name}")) | TYPED.get(name, {}), ana.version
    first, second = (client.post(f"{start}/{name}", data=form) for _click in range(2))
    assert [first.status_code, second.status_code] == [303, 303]
    assert first.headers["Location"] == second.headers["Location"] == f"{start}/{leads_to}"
    told = [client.get(first.headers["Location"]).text.count("已保存。") for _look in range(2)]
    assert told[0] == told[1] + 1
    town.session.refresh(ana)
    assert ana.version == before + 1
    other = form | ({"work_area": ["510105"]} if name == "household" else {"relation": ["father"]})
    other |= {"act": ["up:1"], "multi_child": ["y"], "multi_child_detail": ["2"]}
    assert client.post(f"{start}/{name}", data=other).status_code == 409


def test_an_edit_reads_the_answers_once(client, town, places, count, frozen_clock):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]})
    frozen_clock.move(minutes=1)
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    statements, address = count(client, f"{start}/wishes", act=["up:1"])
    assert address == f"{start}/wishes"
    # session, the family, the receipt before, and the write
    assert statements <= 4
    assert "第 2 版" in client.get(address).text


def test_an_edit_of_the_household_asks_so_many_questions(client, town, places, count, frozen_clock):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]})
    frozen_clock.move(minutes=1)
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    statements, address = count(client, f"{start}/household", work_area=["510105"])
    assert address == f"{start}/receipts/2"
    assert statements <= 4
    assert "<h1>修改回执</h1>" in client.get(address).text


def test_an_edit_of_the_childs_page_asks_so_many_questions(client, town, places, count, frozen_clock):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]})
    frozen_clock.move(minutes=1)
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    statements, address = count(client, f"{start}/child", relation=["grandparent"])
    assert address == f"{start}/receipts/2"
    assert statements <= 4


def test_a_returned_application_is_handed_in_again_with_so_many_questions(client, town, places, count, frozen_clock):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]})
    town.clerk_sends_back(ana, "home_place")
    town.session.commit()
    frozen_clock.set(town.now + dt.timedelta(minutes=1))
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    statements, address = count(client, f"{start}/check", true=["y"])
    assert address == f"{start}/receipts/2"
    assert statements <= 4
    assert "<h1>提交回执</h1>" in client.get(address).text, "nothing was changed"


def test_a_save_of_a_returned_application_asks_few_questions(client, town, places, count, frozen_clock):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]})
    town.clerk_sends_back(ana, "home_place")
    town.session.commit()
    frozen_clock.set(town.now + dt.timedelta(minutes=1))
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    client.get("/kindergartens")
    statements, address = count(client, f"{start}/household", work_area=["510105"])
    assert address == f"{start}/check"
    assert statements <= 3


@pytest.mark.parametrize("name", ["wishes", "check"])
def test_a_page_from_before_the_application_was_handed_in_or_sent_back_writes_the_same(
    client, town, places, name, frozen_clock
):
    """The page says which way is tried first; a page that says something else, or nothing, changes nothing but that."""
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]})
    if name == "check":
        town.clerk_sends_back(ana, "home_place")
        town.session.commit()
    frozen_clock.set(town.now + dt.timedelta(minutes=1))
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    form = filled(client.get(f"{start}/{name}")) | {"act": ["up:1"], "true": ["y"]}
    assert form.pop("handed_in") == ["1"]
    assert client.post(f"{start}/{name}", data=form).status_code == 303
    assert "第 2 版" in client.get(f"{start}/receipts/2").text


def test_a_draft_whose_page_says_that_it_was_handed_in_is_saved_and_handed_in(client, town, places):
    ana = town.child("安娜", wishes=places, submit=False)
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    for name, said in (("wishes", {"act": ["up:1"]}), ("check", {"true": ["y"]})):
        form = filled(client.get(f"{start}/{name}"))
        assert "handed_in" not in form
        assert client.post(f"{start}/{name}", data=form | {"handed_in": ["1"]} | said).status_code == 303
    town.session.refresh(ana)
    assert ana.stage == "submitted"
    assert client.get(f"{start}/receipts/1").status_code == 200


def test_a_save_of_wishes_that_are_as_they_were_asks_few_questions(client, town, places, count, frozen_clock):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]})
    frozen_clock.move(minutes=1)
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    statements, address = count(client, f"{start}/wishes", act=["next"])
    assert address == start
    assert statements <= 4
    assert "没有新的改动，现在有效的是第 1 版" in client.get(address).text


def test_the_same_edit_again_saves_it_once(client, town, places, frozen_clock):
    ana = town.child("安娜", wishes=places, grounds={"elder_sibling": places[0]})
    frozen_clock.move(minutes=1)
    start = f"/parents/applications/{ana.id}"
    sign_in(client, town.parent_of(ana).account_id)
    edits = (("household", {"work_area": ["510105"]}, 409), ("wishes", {"act": ["up:1"]}, 303))
    for name, changed, of_an_older_page in edits:
        form, before = filled(client.get(f"{start}/{name}")) | changed, ana.version
        first, second = (client.post(f"{start}/{name}", data=form) for _click in range(2))
        assert [first.status_code, second.status_code] == [303, 303]
        assert first.headers["Location"] == second.headers["Location"]
        told = [client.get(first.headers["Location"]).text.count("修改已生效") for _look in range(2)]
        assert told[0] == told[1] + 1
        town.session.refresh(ana)
        assert ana.version == before + 1
        fresh = form | {"idempotency_key": ["another"]}
        # the page is an older one; the order of the wishes is the saved one, so that there is nothing to choose
        assert client.post(f"{start}/{name}", data=fresh).status_code == of_an_older_page
        town.session.refresh(ana)
        assert ana.version == before + 1
        frozen_clock.move(minutes=1)
    assert [each.number for each in receipts.all_of(town.session, ana)] == [3, 2, 1]


def states(town, places):
    """Forms that are differently far."""
    yield None, town.family("王")
    for name, more in (
        ("安娜", {"wishes": []}),
        ("本本", {"wishes": places}),
        ("陈晨", {"wishes": places, "grounds": {"elder_sibling": places[0]}}),
    ):
        application = town.child(name, submit=False, **more)
        yield application, application
    family = town.family("丁")
    twin = town.child("丁丁", wishes=places, family=family, submit=False)
    town.child("冬冬", wishes=[], family=family, submit=False)
    yield twin, twin


def test_the_next_page_is_the_first_of_the_list_that_is_not_done(client, app, town, places):
    with app.test_request_context():
        for application, owner in states(town, places):
            by = owner.actor if application is None else town.parent_of(owner)
            listed = steps.steps(FormState(town.session, application, by=by, now=town.now))
            for at, step in enumerate(listed[:-1]):
                later = next((each for each in listed[at + 1 :] if each.state != "done"), listed[-1])
                form = FormState(town.session, application, by=by, now=town.now)
                assert steps.step_after(step.page, form).page == later.page


def test_a_page_that_is_no_longer_shown_leads_on_too(client, town, places):
    ana = town.child("安娜", wishes=places, submit=False)
    sign_in(client, town.parent_of(ana).account_id)
    start = f"/parents/applications/{ana.id}"
    answer = client.post(f"{start}/together", data=filled(client.get(f"{start}/wishes")))  # a form of before
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/parents/applications/{ana.id}/check")


def test_the_last_wish_of_a_handed_in_application_stays_and_the_page_says_what_counts(client, town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/wishes"
    answer = client.post(path, data=filled(client.get(path)) | {"act": "remove:0"})
    said = page(answer).main.get_text()
    assert "至少要留 1 个志愿" in said and "金苹果" in said and "仍然有效" in said
    assert "还没有保存" not in page(answer).select_one("main").get_text().replace("这一页的改动还没有保存", "")
    assert "没有填写" not in said
