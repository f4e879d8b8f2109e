"""FAM17 and FAM09 on the pages: an old page changes nothing and says so, and both guardians see what waits."""

import datetime as dt

from bs4 import BeautifulSoup

from enrollment.ground.city_time import format_time
from enrollment.offers import joint_decisions
from portal.text.formats import moment
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in


@prepared
def placed(client, another_client, town, frozen_clock):
    """Ana has a place; her mother and her father are signed in."""
    garden = town.kindergarten("金苹果", places=1)
    town.ana, town.ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.father = town.second_guardian(town.ana)
    town.drawn(town.ana, town.ben)
    town.session.commit()
    frozen_clock.set(town.now)
    town.address = f"/parents/applications/{town.ana.id}"
    town.mother_at, town.father_at = (
        sign_in(client, town.ana.entered_by),
        sign_in(another_client(), town.father.account),
    )
    return town


def page(answer):
    return BeautifulSoup(answer.text, "lxml").select_one("main")


def buttons(answer) -> list[str]:
    return [button.get_text(strip=True) for button in page(answer).select("form button[type=submit], form button")]


def opened(client, address):
    return hidden_fields(client.get(address).text)


def test_fam17_back_and_confirm_after_declining_says_that_it_is_over(placed):
    town, at = placed, placed.mother_at
    old = opened(at, f"{town.address}/result/confirm")
    fill_in(at, f"{town.address}/result/decline")
    act = joint_decisions.waiting_for(town.session, town.ana.id)
    agreed = hidden_fields(
        town.father_at.get(f"{town.address}/decision").text, f"{town.address}/decision/{act.act_id}/agree"
    )
    assert town.father_at.post(f"{town.address}/decision/{act.act_id}/agree", data=agreed).status_code == 303
    late = at.post(f"{town.address}/result/confirm", data=old)
    assert late.status_code == 409 and buttons(late) == ["收回放弃，确认入园"]
    said = page(late).get_text()
    assert "这个学位已经放弃" in said and "补录" in said and "热线" in said
    assert "The place was given up" in at.post(f"{town.address}/result/confirm?lang=en", data=old).text


def test_fam17_each_answer_has_a_receipt_with_code_and_digest(placed, portal_engine, frozen_clock):
    town, at = placed, placed.mother_at
    fill_in(at, f"{town.address}/result/confirm")
    shown = at.get(f"{town.address}/result").text
    assert f"{town.address}/answers/1" in shown
    receipt = page(at.get(f"{town.address}/answers/1"))
    assert f"{town.ana.registration_code}-1" in receipt.get_text() and len(receipt.select_one("code").get_text()) == 64
    assert "孩子的母亲" in page(town.father_at.get(f"{town.address}/answers/1")).get_text()
    letter = drawn_letter(at, portal_engine, frozen_clock, f"{town.address}/answers/1.pdf")
    assert letter.mimetype == "application/pdf" and letter.data[:4] == b"%PDF"
    assert at.get(f"{town.address}/answers/2").status_code == 404


def test_fam17_the_other_answered_meanwhile(placed):
    town = placed
    old = opened(town.father_at, f"{town.address}/result/confirm")
    fill_in(town.mother_at, f"{town.address}/result/decline")
    late = town.father_at.post(f"{town.address}/result/confirm", data=old)
    assert late.status_code == 409 and "情况有了变化" in page(late).get_text()
    assert "孩子的母亲提出放弃学位" in page(late).get_text(), "and what waits stands there"
    again = page(town.father_at.get(f"{town.address}/result/confirm")).get_text()
    assert "您现在确认，就是不同意" in again
    assert fill_in(town.father_at, f"{town.address}/result/confirm").status_code == 303
    assert town.offer_for(town.ana).state == "confirmed"


def test_fam17_a_second_click_after_confirming_is_told_so(placed):
    town, at = placed, placed.mother_at
    first, second = (opened(at, f"{town.address}/result/confirm") for _ in range(2))
    assert at.post(f"{town.address}/result/confirm", data=first).status_code == 303
    late = at.post(f"{town.address}/result/confirm", data=second)
    assert late.status_code == 409 and "已经确认过了" in page(late).get_text() and buttons(late) == []


def test_fam17_an_old_page_does_not_answer_another_place(client, town, frozen_clock):
    good, plain = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=2)
    ana, ben = (town.child(name, wishes=[good, plain]) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    town.session.commit()
    frozen_clock.set(town.now)
    at, address = sign_in(client, ben.entered_by), f"/parents/applications/{ben.id}/result/decline"
    town.confirm(ben, wait=True)
    town.session.commit()
    old = opened(at, address)
    town.decline(ana)
    town.at(town.offer_for(ben).answer_by)
    town.replay()
    town.session.commit()
    frozen_clock.set(town.now)
    late = at.post(address, data=old)
    assert late.status_code == 409 and "情况有了变化" in page(late).get_text()
    assert town.place_of(ben) == good


def test_fam09_both_see_on_every_page_what_waits_with_their_own_buttons(placed):
    town = placed
    asked = town.mother_at.get(f"{town.address}/result/decline").text
    assert "放弃不会马上生效" in asked
    fill_in(town.mother_at, f"{town.address}/result/decline")
    for at, who in ((town.mother_at, "您"), (town.father_at, "孩子的母亲")):
        for path in ("/parents", f"{town.address}/result", "/parents/messages", "/parents/account"):
            assert f"{who}提出放弃学位" in at.get(path).text, path
    assert any("收回" in text for text in buttons(town.mother_at.get(f"{town.address}/decision")))
    theirs = buttons(town.father_at.get(f"{town.address}/decision"))
    assert any("不同意" in text for text in theirs) and any("立即生效" in text for text in theirs)
    for at in (town.mother_at, town.father_at):  # what `freed_places.take_back` allows afterwards
        assert "还没有让给别的孩子时，还可以收回" in text_of(at.get(f"{town.address}/decision"))
    assert "decline" not in {
        link["href"].rpartition("/")[2] for link in page(town.mother_at.get(f"{town.address}/result")).select("a")
    }


def test_fam09_to_object_on_the_page_keeps_the_place_and_says_so_to_both(placed):
    town = placed
    fill_in(town.mother_at, f"{town.address}/result/decline")
    act = joint_decisions.waiting_for(town.session, town.ana.id).act_id
    address = f"{town.address}/decision/{act}/object"
    typed = hidden_fields(town.father_at.get(f"{town.address}/decision").text, address)
    assert town.father_at.post(address, data=typed).status_code == 303
    assert "孩子的父亲不同意" in town.mother_at.get("/parents/messages").text
    shown = town.mother_at.get(f"{town.address}/result")
    assert "学位为孩子保留" in shown.text and not page(shown).select(".sticky a")
    over = town.father_at.post(address, data=opened_again(town, address))
    assert over.status_code == 409 and "已经有了结果" in over.text


def opened_again(town, address):
    return {name: value for name, value in opened(town.father_at, "/parents/dispute").items() if name == "csrf_token"}


def test_fam23_the_page_tells_the_consequence_of_withdrawing_consent(placed, frozen_clock):
    town = placed
    told = page(town.mother_at.get("/parents/consent/withdraw")).get_text()
    assert "放弃已有的学位" in told and "另一位监护人" in told
    assert fill_in(town.mother_at, "/parents/consent/withdraw").status_code == 303
    waiting = joint_decisions.waiting_for(town.session, town.ana.id)
    assert waiting.kind == "withdraw" and waiting.takes_effect_at == town.now + dt.timedelta(hours=24)
    assert "孩子的母亲撤回了个人信息同意" in town.father_at.get("/parents/messages").text
    assert "撤回申请" in page(town.father_at.get(town.address)).get_text()


def text_of(answer) -> str:
    return BeautifulSoup(answer.text, "lxml").body.get_text(" ", strip=True)


def objected(town):
    """The mother asked to give the place up, and the father objected by confirming it."""
    fill_in(town.mother_at, f"{town.address}/result/decline")
    fill_in(town.father_at, f"{town.address}/result/confirm")


def test_during_a_hold_no_page_offers_or_accepts_to_withdraw(placed):
    town = placed
    old = opened(town.mother_at, f"{town.address}/withdraw")
    objected(town)
    for at in (town.mother_at, town.father_at):
        assert "/withdraw" not in str(page(at.get(town.address)))
        closed = at.get(f"{town.address}/withdraw")
        assert buttons(closed) == [] and "办结前不能撤回" in text_of(closed)
    assert "cannot be withdrawn meanwhile" in text_of(town.mother_at.get(f"{town.address}/withdraw?lang=en"))
    refused = town.mother_at.post(f"{town.address}/withdraw?lang=zh", data=old)
    assert refused.status_code != 303 and "核实" in text_of(refused)
    town.session.expire_all()
    assert joint_decisions.waiting_for(town.session, town.ana.id) is None
    assert town.offer_for(town.ana).state == "confirmed"


def test_a_paused_decision_shows_no_time_and_a_past_time_is_never_a_future_one(placed, frozen_clock):
    town = placed
    objected(town)
    consent = town.mother_at.get("/parents/consent/withdraw")
    assert "要等争议办结" in text_of(consent) and "没有人答复" not in text_of(consent)
    assert fill_in(town.mother_at, "/parents/consent/withdraw").status_code == 303
    town.session.expire_all()
    waiting = joint_decisions.waiting_for(town.session, town.ana.id)
    frozen_clock.move(days=4)
    sign_in(town.father_at, town.father.account)
    for path in (town.address, f"{town.address}/result", f"{town.address}/decision", "/parents", "/parents/messages"):
        shown = text_of(town.father_at.get(path))
        assert "争议办结前" in shown, path
        if path != "/parents/messages":  # an old message keeps the time of the act that it was about
            assert moment(waiting.takes_effect_at, in_language="zh") not in shown, path
    decision = town.father_at.get(f"{town.address}/decision")
    assert not any("同意撤回" in text for text in buttons(decision))
    assert "Paused while the dispute is open" in text_of(town.father_at.get(f"{town.address}/decision?lang=en"))


def test_the_page_of_a_decision_whose_time_is_over_says_so(placed, frozen_clock):
    town = placed
    fill_in(town.mother_at, f"{town.address}/result/decline")
    frozen_clock.move(days=2)
    sign_in(town.father_at, town.father.account)
    shown = text_of(town.father_at.get(f"{town.address}/result"))
    assert "等待时间已到，随时生效" in shown and "自动生效" not in shown


def test_the_other_guardian_reads_one_date_and_what_silence_does(placed):
    town = placed
    fill_in(town.mother_at, f"{town.address}/result/decline")
    waiting = joint_decisions.waiting_for(town.session, town.ana.id)
    deadline = town.offer_for(town.ana).answer_by
    assert waiting.takes_effect_at < deadline, "the two differ here"
    for path in (town.address, f"{town.address}/result", f"{town.address}/decision", "/parents", "/parents/messages"):
        shown = text_of(town.father_at.get(path))
        assert "没有人答复" in shown and "自动生效" in shown, path
        for written in (moment(deadline, in_language="zh"), format_time(deadline)):
            assert written not in shown, path
    assert "代替原来的答复期限" in text_of(town.father_at.get("/parents/messages"))
    english = text_of(town.father_at.get(f"{town.address}/result?lang=en"))
    assert "If nobody answers, it takes effect" in english and "replaces the earlier deadline" in english


def test_a_place_given_up_by_mistake_comes_back_on_the_same_page(client, town, frozen_clock):
    garden = town.kindergarten("金苹果", places=1)
    ana = town.child("安娜", wishes=[garden])
    town.drawn(ana)
    town.session.commit()
    frozen_clock.set(town.now)
    at, address = sign_in(client, ana.entered_by), f"/parents/applications/{ana.id}"
    assert "还没有让给别的孩子时，您可以收回" in at.get(f"{address}/result/decline").text
    fill_in(at, f"{address}/result/decline")
    assert "收回放弃，确认入园" in buttons(at.get(f"{address}/result"))
    late = opened(at, f"{address}/result")
    assert fill_in(at, f"{address}/result", f"{address}/take-back").status_code == 303
    assert town.offer_for(ana).state == "confirmed"
    assert "收回放弃，重新确认" in at.get(f"{address}/result").text, "with a receipt"
    assert "这个录取已经结束" in at.post(f"{address}/take-back", data=late).text


def test_the_other_guardian_reads_who_gave_the_place_up(placed):
    town = placed
    fill_in(town.mother_at, f"{town.address}/result/decline")
    act = joint_decisions.waiting_for(town.session, town.ana.id)
    fill_in(town.father_at, f"{town.address}/decision", f"{town.address}/decision/{act.act_id}/agree")
    assert "您家放弃了这个学位" in page(town.mother_at.get(f"{town.address}/result")).get_text()
    assert "孩子的母亲放弃了这个学位" in page(town.father_at.get(f"{town.address}/result")).get_text()
