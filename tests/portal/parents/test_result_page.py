"""The family's result page: one glance, every reason, and an answer that is asked twice when it does harm."""

from sqlalchemy import Engine, event, select

from enrollment.draw import runs
from enrollment.draw.publication import opening
from enrollment.review import cases
from enrollment.review.case_rows import Case
from enrollment.season.facts import Fact
from enrollment.season.rounds import Round
from tests.support.prepare_all import prepare_all
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_season import at


@prepared
def published_town(town, frozen_clock):
    jinpingguo = town.kindergarten("金苹果", places=1)
    mudan = town.kindergarten("牡丹", places=1)
    town.ana = town.child("安娜", wishes=[jinpingguo, mudan])
    town.ben = town.child("本本", wishes=[jinpingguo, mudan])
    town.cui = town.child("翠翠", wishes=[jinpingguo])
    town.session.commit()
    return town


def publish(town, clock):
    town.drawn(town.ana, town.ben, town.cui)
    town.session.commit()
    clock.set(town.now)


def as_parent_of(town, client, application):
    return sign_in(client, application.entered_by), f"/parents/applications/{application.id}/result"


def bold(number: int) -> str:
    return f'<b class="num nowrap">{number}</b>'


def test_before_publication_the_page_says_when(client, published_town):
    client, address = as_parent_of(published_town, client, published_town.ana)
    assert "结果还没有公布" in client.get(address).text


def test_the_page_shows_the_place_the_reasons_and_the_numbers(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ben)
    page = client.get(address).text
    assert "<h1>牡丹（小班）</h1>" in page
    assert "已录取 · 第 2 志愿" in page
    assert f"派位号 {bold(town.ticket_of(town.ben))}；录到第" in page
    assert f"派位号 {bold(town.ticket_of(town.ana))}。" in page
    assert "候补排在第 1 位" in page
    english = client.get(f"{address}?lang=en").text
    assert "Placed · wish 2" in english and "number 1 in line" in english.lower()


def test_confirming_and_waiting_asks_once_and_then_says_what_comes(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ben)
    answered = fill_in(client, f"{address}/wait")
    assert answered.status_code == 303
    page = client.get(address).text
    assert "已确认，并候补更靠前的志愿。" in page
    assert "下载录取通知书" in page
    assert town.offer_for(town.ben).state == "confirmed_waiting"


def test_declining_asks_for_confirmation_and_frees_the_place(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ana)
    assert "之后不能恢复" in client.get(f"{address}/decline").text
    fill_in(client, f"{address}/decline")
    assert town.offer_for(town.ana) is None
    assert "您家放弃了这个学位" in client.get(address).text
    assert client.get(f"{address}/decline").status_code == 303


def test_only_a_child_on_the_waitlist_reads_that_it_goes_on(client, another_client, published_town, frozen_clock):
    """A family that gave its place up was told that it leaves the waitlist, so no line may say that it waits."""
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ana)
    fill_in(client, f"{address}/decline")
    other, waiting = as_parent_of(town, another_client(), town.cui)
    frozen_clock.set(at(6, 20))  # no supplementary round was opened
    goes_on = ("候补还在继续", "候补也一直排到明年春天")
    assert [words in other.get(waiting).text for words in goes_on] == [True, True]
    assert [words in client.get(address).text for words in goes_on] == [False, False]
    assert "not on the waitlist of this round" in client.get(f"{address}?lang=en").text


def test_an_answer_after_the_deadline_says_so_and_changes_nothing(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ana)
    typed = hidden_fields(client.get(f"{address}/confirm").text)
    frozen_clock.set(town.offer_for(town.ana).answer_by)
    late = client.post(f"{address}/confirm", data=typed)
    assert late.status_code == 409 and "确认的时间已经过了" in late.text
    assert "没有确认的学位让给下一个孩子" in late.text, "and what becomes of it"
    assert client.get(f"{address}/confirm").status_code == 303, "no button that will refuse"
    assert town.offer_for(town.ana).state == "offered"


def test_a_family_that_did_not_answer_a_return_reads_why_its_priority_is_low(client, published_town, frozen_clock):
    """The registers agree with every fact, but nothing was verified; the numbers alone would be a riddle."""
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ana)
    findings = address.removesuffix("/result") + "/findings"
    assert "没有再提交" not in client.get(address).text + client.get(findings).text
    town.ana.stage = "returned"
    town.session.commit()
    assert "所以只按已经核实的情况算优先级" in client.get(address).text
    assert "老师请您家补充的内容还没有再提交" in client.get(findings).text


def test_a_double_click_answers_once(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ben)
    fields = hidden_fields(client.get(f"{address}/confirm").text)
    town.session.commit()
    town.session.expire_all()
    statements = []
    event.listen(Engine, "before_cursor_execute", note := lambda *said: statements.append(said[2]))
    first = client.post(f"{address}/confirm", data=fields)
    event.remove(Engine, "before_cursor_execute", note)
    second = client.post(f"{address}/confirm", data=fields)
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert town.offer_for(town.ben).state == "confirmed"
    assert len(statements) <= 2, statements


def test_a_child_without_a_place_is_told_how_it_goes_on(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.cui)
    page = client.get(address).text
    assert "这一批没有录取，但还没有结束" in page
    assert "候补排在第 2 位" in page


def test_another_familys_result_does_not_exist(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, _own = as_parent_of(town, client, town.ana)
    foreign = f"/parents/applications/{town.ben.id}/result"
    assert client.get(foreign).status_code == 404
    assert client.get(f"{foreign}/confirm").status_code == 404


def _main_of(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


def test_drw03_nobody_looks_up_the_result_of_a_child(client, published_town, frozen_clock):
    """A ticket or a code gives nothing: what a family wishes and which priority it has is its own business."""
    town = published_town
    publish(town, frozen_clock)
    address = f"/draws/{town.the_round.id}"
    plain = _main_of(client.get(address).text)
    for asked in (town.ticket_of(town.ben), town.ben.child_code):
        assert _main_of(client.get(f"{address}?ticket={asked}").text) == plain
    assert "金苹果" in client.get(f"{address}?name=金苹&area=510104").text
    assert "没有找到这个名称" in client.get(f"{address}?name=无此园").text
    assert client.get("/draws").status_code == 200


def test_f12_the_rule_for_twins_is_told_in_words_to_the_twins_and_to_whom_it_kept_out(
    client, another_client, town, frozen_clock
):
    jinpingguo = town.kindergarten("金苹果", places=2)
    town.round(pair_rule="close")
    town.open_registration()
    ana = town.child("安娜", wishes=[jinpingguo])
    twins = town.twins("宁宁", "静静", wishes=[jinpingguo])
    ben = town.child("本本", wishes=[jinpingguo])
    town.drawn(ana, twins[0], ben)
    town.session.commit()
    frozen_clock.set(town.now)
    rule = "轮到他们时如果学位不够，这所幼儿园本批到此为止"
    client, address = as_parent_of(town, client, ben)
    page = client.get(address).text
    assert rule in page and "按规则留到补录" in page
    client, address = as_parent_of(town, another_client(), twins[0])
    page = client.get(address).text
    assert rule in page and "按最靠后的优先级、最靠前的派位号一起排" in page
    client, address = as_parent_of(town, another_client(), ana)
    assert rule not in client.get(address).text


def test_a_dispute_about_one_twin_takes_the_answers_of_the_other_off_the_page(client, town, frozen_clock):
    pair = town.twins("安安", "宁宁", wishes=[town.kindergarten("金苹果", places=3)])
    town.drawn(*pair)
    clerk_of_the_case = town.city_pair()[0]
    child = pair[1].child
    cases.open_dispute(
        town.session, child_name=child.name, id_kind=child.id_kind, id_number=child.id_number, text="争议",
        by=town.parent_of(pair[1]), now=town.now,
    )  # fmt: skip
    town.session.commit()
    frozen_clock.set(town.now)
    client, address = as_parent_of(town, client, pair[0])
    page = client.get(address).text
    assert not pair[0].on_hold and pair[1].on_hold
    assert "争议办结前不用答复" in page
    assert f"{address}/confirm" not in page and f"{address}/decline" not in page
    (case,) = town.session.scalars(select(Case))
    cases.settle(town.session, case.id, outcome="settled", reason="已协商", by=clerk_of_the_case, now=town.now)
    town.session.commit()
    assert f"{address}/confirm" in client.get(address).text


def test_a_family_that_confirmed_can_still_choose_to_wait(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ben)
    fill_in(client, f"{address}/confirm")
    assert "改为确认并候补" in client.get(address).text
    assert fill_in(client, f"{address}/wait").status_code == 303
    assert "还想等更靠前的志愿" not in client.get(address).text, "it waits already"


def test_a_family_reads_where_it_was_moved_from(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    town.confirm(town.ben, wait=True)
    town.decline(town.ana)
    town.silence_if_any()
    town.replay()
    town.session.commit()
    frozen_clock.set(town.now)
    client, address = as_parent_of(town, client, town.ben)
    page = client.get(address).text
    assert "从 牡丹 调整到这里" in page and "原来的通知书作废" in page
    assert "moved here from 牡丹" in client.get(f"{address}?lang=en").text


def test_a_cut_off_says_whose_places_it_is_of(client, town, frozen_clock):
    """Two neighbours with other numbers at one kindergarten must be able to see why."""
    garden = town.kindergarten("金苹果", places=2)
    town.pool(garden, "care", 1, ["policy_care"], name="政策照顾预留")
    ben, cui, dan = (town.child(name, wishes=[garden]) for name in ("本本", "翠翠", "丹丹"))
    cared = [town.child(name, wishes=[garden], grounds={"policy_care": "soldier"}) for name in ("安娜", "恩恩")]
    town.registration_is_over()
    for each in cared:
        town.clerk_confirms(each, facts={Fact.POLICY_CARE: "soldier"})
    town.drawn(ben, cui, dan, *cared)
    cared, cui = cared[0], dan
    town.session.commit()
    frozen_clock.set(town.now)
    at, address = as_parent_of(town, client, cared)
    assert "这是“政策照顾预留”的录取线" in at.get(address).text
    at, address = as_parent_of(town, client, cui)
    assert "这是面向所有家庭的学位的录取线" in at.get(address).text


def test_a_cut_off_of_what_the_reserved_families_left_does_not_seem_to_exclude_them(client, town, frozen_clock):
    """The reserved family has the last ticket, and yet got in before the one on the line."""
    garden = town.kindergarten("金苹果", places=2)
    town.pool(garden, "care", 2, ["policy_care"], name="政策照顾预留")
    ben, cui = (town.child(name, wishes=[garden]) for name in ("本本", "翠翠"))
    cared = town.child("安娜", wishes=[garden], grounds={"policy_care": "soldier"})
    town.registration_is_over()
    town.clerk_confirms(cared, facts={Fact.POLICY_CARE: "soldier"})
    town.drawn(ben, cui, cared)
    town.session.commit()
    frozen_clock.set(town.now)
    at, address = as_parent_of(town, client, cared)
    assert "“政策照顾预留”先录取预留范围内的全部家庭" in at.get(address).text


def test_a_place_of_central_placement_is_named_as_a_proposal_with_its_distance(client, town, frozen_clock):
    full = town.kindergarten("金苹果", places=1, longitude=104.10, latitude=30.60)
    town.kindergarten("牡丹", places=1, longitude=104.20, latitude=30.60)
    home = {"home_longitude": 104.10, "home_latitude": 30.60}
    ana, ben = (town.child(name, wishes=[full], **home) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    run = town.place_centrally()
    for by in town.city_pair():
        runs.sign(town.session, run.id, by=by, now=town.now)
    prepare_all(town.session, run.id, by=by, now=town.now)
    town.at(town.session.get_one(Round, run.round_id).results_at)
    opening.open_run(town.session, run.id, now=town.now)
    town.session.commit()
    frozen_clock.set(town.now)
    client, address = as_parent_of(town, client, ben)
    page = client.get(address).text
    assert "不是您填的志愿" in page and "公里" in page and "牡丹" in page
    declining = client.get(f"{address}/decline").text
    assert "您家也不再参加这一批的候补" not in declining
    told = "负责您家的专员会和您商量别的"
    assert told in page and told in declining
    assert "your officer looks for another one" in client.get(f"{address}/decline?lang=en").text
    client.get(f"{address}?lang=zh")
    fill_in(client, f"{address}/decline")
    assert "您家仍在前面志愿的候补名单里" in client.get(address).text


def test_fam16_twins_read_the_ticket_that_counted_for_both_and_their_own(client, town, frozen_clock):
    garden = town.kindergarten("金苹果", places=2)
    twins = town.twins("安娜", "本本", wishes=[garden])
    town.drawn()
    town.session.commit()
    frozen_clock.set(town.now)
    first, second = sorted(twins, key=town.ticket_of)
    client, address = as_parent_of(town, client, second)
    counted, own = town.ticket_of(first), town.ticket_of(second)
    assert f'一起排的派位号 <b class="num">{counted}</b>' in client.get(address).text
    assert f"这个孩子自己的是 {own}" in client.get(address).text
    english = client.get(f"{address}?lang=en").text
    assert "The ticket that counted for all of them" in english and f"this child's own is {own}" in english
    client, address = as_parent_of(town, client, first)
    assert f'您家的派位号 <b class="num">{counted}</b>' in client.get(f"{address}?lang=zh").text
