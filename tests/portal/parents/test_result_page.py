"""The family's result page: one glance, every reason, and an answer that is asked twice when it does harm."""

import pytest

from tests.support.signing_in import fill_in, hidden_fields, sign_in


@pytest.fixture
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
    assert "不能撤回" in client.get(f"{address}/decline").text
    fill_in(client, f"{address}/decline")
    assert town.offer_for(town.ana) is None
    assert "您家放弃了这个学位" in client.get(address).text
    assert client.get(f"{address}/decline").status_code == 303


def test_an_answer_after_the_deadline_says_so_and_changes_nothing(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ana)
    typed = hidden_fields(client.get(f"{address}/confirm").text)
    frozen_clock.set(town.offer_for(town.ana).answer_by)
    late = client.post(f"{address}/confirm", data=typed)
    assert late.status_code == 409 and "确认的时间已经过了" in late.text
    assert client.get(f"{address}/confirm").status_code == 303, "no button that will refuse"
    assert town.offer_for(town.ana).state == "offered"


def test_a_double_click_answers_once(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    client, address = as_parent_of(town, client, town.ben)
    fields = hidden_fields(client.get(f"{address}/confirm").text)
    first, second = (client.post(f"{address}/confirm", data=fields) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert town.offer_for(town.ben).state == "confirmed"


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


def test_anybody_looks_up_a_ticket_and_downloads_the_public_file(client, published_town, frozen_clock):
    town = published_town
    publish(town, frozen_clock)
    address = f"/draws/{town.the_round.id}"
    page = client.get(f"{address}?ticket={town.ticket_of(town.ben)}").text
    assert "录取到 牡丹" in page and "本本" not in page
    assert "没有这个派位号" in client.get(f"{address}?ticket=99999").text
    assert "录取到 牡丹" in client.get(f"{address}?ticket={town.ben.child_code}").text
    assert "金苹果" in client.get(f"{address}?name=金苹&area=510104").text
    assert "没有找到这个名称" in client.get(f"{address}?name=无此园").text
    bundle = client.get(f"{address}/bundle.zip")
    assert bundle.mimetype == "application/zip" and bundle.data[:2] == b"PK"
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
