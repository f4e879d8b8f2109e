"""The pages of bound children: nothing is overwritten from a stale page, and every page says what is true of the bond."""

import pytest

from enrollment.applications import wishes
from enrollment.review import refusals
from tests.portal.parents.desk import filled, page
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


def said(client, path, language="zh") -> str:
    answer = client.get(path, query_string={"lang": language})
    assert answer.status_code == 200, path
    return " ".join(page(answer).find("main").get_text(" ").split())


def at(application, name="") -> str:
    return f"/parents/applications/{application.id}" + (f"/{name}" if name else "")


def programmes(town, application):
    return [wish.programme_id for wish in wishes.of(town.session, application.id, town.the_round.id)]


@prepared
def gardens(town):
    town.m, town.j = town.kindergarten("玉林", places=3), town.kindergarten("桐梓林", places=3)
    return town


def test_fam01_the_draft_twins_page_binds_with_the_list_that_was_handed_in(client, gardens):
    family = gardens.family("周")
    one = gardens.child("周星遥", family=family, wishes=[gardens.m])
    two = gardens.child("周星野", family=family, wishes=[gardens.j], submit=False)
    gardens.session.commit()
    sign_in(client, family.account)
    form = filled(client.get(at(two, "together")))
    assert form["list_of"] == [str(one.id)], "the list that was handed in is the default"
    before = programmes(gardens, one)
    assert client.post(at(two, "together"), data=form | {"together": "bound"}).status_code == 303
    gardens.session.expire_all()
    assert programmes(gardens, one) == programmes(gardens, two) == before


def test_fam01_a_stale_page_of_one_twin_is_told_that_the_other_changed(client, gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    gardens.session.commit()
    sign_in(client, one.entered_by)
    together, list_page = (filled(client.get(at(two, name))) for name in ("together", "wishes"))
    gardens.wish(one, gardens.j)
    gardens.session.commit()
    before = programmes(gardens, two)
    for name, form in (("together", together | {"together": "separate"}), ("wishes", list_page | {"act": "next"})):
        answer = client.post(at(two, name), data=form)
        assert answer.status_code == 409
        assert "内容已经在别处改动" in answer.text
    gardens.session.expire_all()
    assert programmes(gardens, two) == before
    assert one.unit == two.unit is not None


@pytest.mark.parametrize(
    ("language", "missing", "alone"),
    [
        ("zh", "没有参加的是 周星野", "这个孩子是单独派位的"),
        ("en", "周星野 did not take part", "this child was drawn alone"),
    ],
)
def test_fam03_after_the_deadline_every_page_says_that_the_bond_does_not_count(
    client, gardens, frozen_clock, language, missing, alone
):
    one, _two = gardens.twins("周星遥", "周星野", wishes=[gardens.m], submit=False)
    gardens.submit(one)
    gardens.session.commit()
    sign_in(client, one.entered_by)
    waiting = said(client, at(one), language)
    assert missing not in waiting
    assert "周星野" in waiting
    gardens.close_registration()
    gardens.session.commit()
    frozen_clock.set(gardens.now)
    for name in ("", "together", "wishes", "check", "receipts/1"):
        assert missing in said(client, at(one, name), language), name
    gardens.drawn()
    gardens.session.commit()
    frozen_clock.set(gardens.now)
    result = said(client, at(one, "result"), language)
    assert alone in result
    assert "一起录取" not in result


def test_the_pages_before_an_act_show_its_rule_and_name_the_other_child(client, gardens, frozen_clock):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    gardens.session.commit()
    sign_in(client, one.entered_by)
    withdraw = said(client, at(one, "withdraw"))
    assert "周星野" in withdraw and "退出捆绑" in withdraw
    receipt = said(client, at(one, "receipts/1"))
    assert f"周星野（登记编号 {two.registration_code}）" in receipt
    gardens.drawn()
    gardens.session.commit()
    frozen_clock.set(gardens.now)
    decline = said(client, at(one, "result/decline"))
    assert "这个答复也算 周星野 的" in decline and "一起放弃" in decline


def test_fam16_the_sentence_that_order_lowers_no_chance_is_not_said_to_bound_children(client, gardens):
    sentence = "不会降低后面志愿的机会"
    one, _two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    gardens.session.commit()
    sign_in(client, one.entered_by)
    assert sentence not in said(client, at(one, "wishes"))
    gardens.separate(one)
    gardens.session.commit()
    assert sentence in said(client, at(one, "wishes"))


def test_a_guardian_of_one_child_is_not_told_the_name_of_the_other(client, gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    father = gardens.second_guardian(one)
    gardens.session.commit()
    sign_in(client, father.account)
    for name in ("", "together", "wishes", "check", "withdraw", "receipts/1"):
        text = said(client, at(one, name))
        assert "周星野" not in text, name
    form = filled(client.get(at(one, "together")))
    assert client.post(at(one, "together"), data=form).status_code == 303
    gardens.session.expire_all()
    assert one.unit == two.unit is not None, "saving the page as it is leaves the bond"
    form = filled(client.get(at(one, "wishes")))
    answer = client.post(at(one, "wishes"), data=form | {"act": "remove:0"})
    assert "共同的志愿要由照管所有孩子的监护人来改" in answer.text
    form = filled(client.get(at(one, "together"))) | {"together": "separate"}
    assert client.post(at(one, "together"), data=form).status_code == 303
    gardens.session.expire_all()
    assert one.unit is two.unit is None


def test_of_three_the_family_ticks_who_is_bound_and_whose_list_counts(client, gardens):
    family = gardens.family("周")
    a = gardens.child("周甲", family=family, wishes=[gardens.m])
    b = gardens.child("周乙", family=family, wishes=[gardens.j], submit=False)
    c = gardens.child("周丙", family=family)
    gardens.session.commit()
    sign_in(client, family.account)
    form = filled(client.get(at(a, "together")))
    assert set(form["bound_with"]) == {str(b.id), str(c.id)}
    form |= {"together": "bound", "bound_with": [str(c.id)], "list_of": str(b.id)}
    answer = client.post(at(a, "together"), data=form)
    assert "几个孩子的志愿不一样，请选用谁的" in answer.text, "the list of a child that is not ticked is no choice"
    assert client.post(at(a, "together"), data=form | {"list_of": str(a.id)}).status_code == 303
    gardens.session.expire_all()
    assert a.unit == c.unit is not None
    assert b.unit is None
    assert programmes(gardens, c) == programmes(gardens, a) != programmes(gardens, b)
    shown = filled(client.get(at(a, "together")))
    assert shown["bound_with"] == [str(c.id)]


@pytest.mark.parametrize(
    ("language", "why"), [("zh", "审核未通过，就退出捆绑"), ("en", "is not accepted leaves the bond")]
)
def test_fam03_a_refused_twin_is_the_reason_why_the_bond_ended(client, gardens, frozen_clock, language, why):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    proposal = gardens.clerk_proposes_refusal(two)
    head = gardens.head_of(gardens.m)
    refusals.decide_refusal(gardens.session, proposal.id, upheld=True, by=head, now=gardens.now)
    gardens.session.commit()
    frozen_clock.set(gardens.now)
    sign_in(client, one.entered_by)
    refused = said(client, at(two), language)
    assert {"zh": "由两位工作人员先后确认", "en": "Two members of staff agreed"}[language] in refused
    gardens.drawn(one)
    gardens.session.commit()
    frozen_clock.set(gardens.now)
    result = said(client, at(one, "result"), language)
    assert why in result and "周星野" in result


def test_twins_whom_each_parent_entered_are_one_family_once_both_care_for_both(client, gardens):
    """Parents who live apart: each entered one twin.  While one child has another guardian, nothing joins them."""
    mother, father = gardens.family("蒋"), gardens.family("冯")
    one = gardens.child("冯朵朵", family=father, wishes=[gardens.m])
    two = gardens.child("冯佳佳", family=mother, wishes=[gardens.m])
    gardens.second_guardian(one, other=mother)
    gardens.session.commit()
    sign_in(client, mother.account)
    alone = said(client, at(two, "together"))
    assert "冯朵朵" not in alone and "请互相邀请" in alone and "保存并继续" not in alone, (
        "nothing to choose, and the way"
    )
    gardens.second_guardian(two, other=father)
    gardens.session.commit()
    assert at(two, "together") in client.get(at(two, "tasks")).text
    assert "冯朵朵" in said(client, at(two, "together"))
    assert (
        client.post(
            at(two, "together"), data=filled(client.get(at(two, "together"))) | {"together": "bound"}
        ).status_code
        == 303
    )
    gardens.session.expire_all()
    assert one.unit == two.unit is not None and one.family_code == two.family_code
    gardens.registration_is_over().everyone_is_reviewed()
    gardens.drawn(one, two)
    assert {gardens.offer_for(each).programme_id for each in (one, two)} == {gardens.offer_for(one).programme_id}
