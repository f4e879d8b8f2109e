"""TRU17: the result page of the first minutes is prepared before the hour, sealed, and read with one statement."""

import datetime as dt
import json
import re
from types import SimpleNamespace

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import Engine, event, func, select, text

from enrollment.draw import runs
from enrollment.draw.publication import hours, opening, preparation
from enrollment.draw.publication.rows import RESULT, PreparedResult
from enrollment.draw.run_rows import REFUSED, WishReason
from enrollment.ground.accounts import Account
from enrollment.ground.vault import row_name, unseal
from enrollment.offers import offers
from enrollment.results import prepared_results
from enrollment.review import refusals
from enrollment.review.case_rows import Case, CaseKind, CaseOutcome
from tests.support.signing_in import fill_in, sign_in

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def signed(town, frozen_clock):
    """A town whose run is signed and prepared, a second before the hour: Ana gets her first wish, Ben his second, Cui none."""
    town.first, town.second = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    town.ana, town.ben = (town.child(name, wishes=[town.first, town.second]) for name in ("安娜", "本本"))
    town.cui = town.child("翠翠", wishes=[town.first])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(town.ana, town.ben, town.cui)
    town.the_run = town.run()
    town.sign(town.the_run)
    town.hour = hours.publication_of(town.session, town.the_run.id).hour
    town.session.commit()
    frozen_clock.set(town.hour - SECOND)
    return town


def open_it(town, clock):
    clock.set(town.hour)
    opening.open_run(town.session, town.the_run.id, now=town.hour)
    preparation.clear(town.session, town.the_run.id)
    town.session.commit()


def look(town, application, *, of=None, now):
    return prepared_results.look(town.session, application.id, by=town.parent_of(of or application), now=now)


def without_tokens(answer):
    """The page without what is new in each answer: the tokens of its forms."""
    return re.sub(r'<input type="hidden"[^>]*>', "", answer.text)


def address(application):
    return f"/parents/applications/{application.id}/result"


def test_tru17_every_family_has_a_prepared_result_before_the_hour_and_none_can_be_read(signed):
    town = signed
    stored = town.session.scalars(select(PreparedResult.content)).all()
    assert len(stored) == 3
    for name in ("金苹果", "牡丹", "placed", "ticket"):
        assert not any(name.encode() in content for content in stored)
    assert all(look(town, each, now=town.hour - SECOND) is None for each in (town.ana, town.ben, town.cui))
    assert all(
        look(town, each, now=town.hour) is None for each in (town.ana, town.ben, town.cui)
    )  # nothing opened it yet


def test_tru17_one_row_opens_every_result_in_its_second(signed, frozen_clock):
    town = signed
    open_it(town, frozen_clock)
    assert look(town, town.ana, now=town.hour - SECOND) is None
    assert look(town, town.ana, now=town.hour).content["place"]["name"] == "金苹果"
    assert look(town, town.cui, now=town.hour).content["place"] is None


def test_tru17_only_the_guardian_has_it_unsealed(signed, frozen_clock):
    town = signed
    open_it(town, frozen_clock)
    assert look(town, town.ana, of=town.ben, now=town.hour) is None


def test_tru17_a_row_that_was_moved_to_another_family_is_not_shown(signed, frozen_clock):
    town = signed
    open_it(town, frozen_clock)
    moved = "UPDATE prepared_result SET content = (SELECT content FROM prepared_result WHERE application_id = :b) WHERE application_id = :a"
    town.session.execute(text(moved), {"a": town.ana.id, "b": town.ben.id})
    with pytest.raises(InvalidTag):
        look(town, town.ana, now=town.hour)


@pytest.mark.parametrize("child", ["ana", "ben", "cui"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_tru17_the_prepared_page_says_what_the_page_of_the_rows_says(
    signed, client, frozen_clock, monkeypatch, child, language
):
    town = signed
    open_it(town, frozen_clock)
    application = getattr(town, child)
    sign_in(client, town.parent_of(application).account_id)
    asked = f"{address(application)}?lang={language}"
    prepared = without_tokens(client.get(asked))
    monkeypatch.setattr(prepared_results, "FRESH", dt.timedelta(0))
    from_rows = without_tokens(client.get(asked))
    at_opening = {
        "公布时候补排在第": "候补排在第", "公布时您家排第": "您家排第", " in line when the result was published": " in line",
        "you were number": "you are number",
    }  # fmt: skip
    assert (prepared == from_rows) == (child == "ana")  # she waits for nothing
    for at_the_hour, now in at_opening.items():
        prepared = prepared.replace(at_the_hour, now)
    assert prepared == from_rows


@pytest.fixture
def families(town, frozen_clock):
    """A signed run with siblings apart, with twins of whom one was refused before the freeze, and with twins who parted later."""
    town.first, town.second = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=3)
    wishes = [town.first, town.second]
    town.apart = town.twins("甲甲", "乙乙", bound=False, wishes=wishes)
    town.alone = town.twins("丙丙", "丁丁", wishes=wishes)
    town.bound = town.twins("戊戊", "己己", wishes=[town.second])
    town.registration_is_over()
    proposal = town.clerk_proposes_refusal(town.alone[1])
    refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(town.first), now=town.now)
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(*town.apart, town.alone[0], *town.bound)
    town.the_run = town.run()
    town.sign(town.the_run)
    town.hour = hours.publication_of(town.session, town.the_run.id).hour
    town.session.commit()
    open_it(town, frozen_clock)
    return town


def test_tru17_siblings_apart_have_prepared_pages_that_say_what_those_of_the_rows_say(
    families, client, frozen_clock, monkeypatch
):
    town = families
    for application in town.apart:
        assert look(town, application, now=town.hour) is not None
        sign_in(client, town.parent_of(application).account_id)
    prepared = [without_tokens(client.get(address(each))) for each in town.apart]
    monkeypatch.setattr(prepared_results, "FRESH", dt.timedelta(0))
    from_rows = [without_tokens(client.get(address(each))) for each in town.apart]
    assert prepared != from_rows, "the second waits for what the first was given"
    assert [each.replace("公布时候补", "候补").replace("公布时您家", "您家") for each in prepared] == from_rows


def test_tru17_the_page_of_a_child_that_is_or_was_bound_is_made_from_the_rows(families, client):
    town = families
    left, refused = town.alone
    assert left.unit is None, "its bond ended with the refusal, which writes no receipt"
    pair = town.bound
    assert all(look(town, each, now=town.hour) is None for each in (left, refused, *pair))
    page = client.get
    sign_in(client, town.parent_of(left).account_id)
    assert "这个孩子是单独派位的" in page(address(left)).text
    sign_in(client, town.parent_of(pair[0]).account_id)
    assert "一起派位" in page(address(pair[0])).text
    for each in pair:  # the bond ends, what the run has placed together stays together
        each.unit = None
    town.session.commit()
    assert all(look(town, each, now=town.hour) is None for each in pair)
    assert "一起派位" in page(address(pair[0])).text


def statements_of(client, path):
    statements = []

    def hear(_connection, _cursor, statement, *_more):
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    answer = client.get(path)
    event.remove(Engine, "before_cursor_execute", hear)
    assert answer.status_code == 200
    return statements


@pytest.mark.parametrize("child", ["ana", "ben", "cui"])
def test_tru17_a_prepared_page_costs_two_statements(signed, client, frozen_clock, child):
    """The session, and the owner's row: nothing else of the family is read."""
    town, application = signed, getattr(signed, child)
    open_it(town, frozen_clock)
    sign_in(client, town.parent_of(application).account_id)
    client.get(address(application))
    statements = statements_of(client, address(application))
    assert len(statements) == 2, statements
    assert "web_session" in statements[0]
    assert "prepared_result" in statements[1]


def test_tru17_after_the_hour_nobody_asks_for_what_was_prepared(signed, client, frozen_clock):
    town = signed
    open_it(town, frozen_clock)
    frozen_clock.set(town.hour + prepared_results.FRESH)
    sign_in(client, town.parent_of(town.ana).account_id)
    client.get(address(town.ana))
    statements = statements_of(client, address(town.ana))
    assert not any("prepared_result" in each for each in statements)
    assert len(statements) == 3, "as before it: session, family, result"


def test_tru17_a_decision_that_waits_for_another_child_is_told_on_the_page(signed, client, frozen_clock):
    """The frame of every page tells what waits for the family, so the page is made from the rows."""
    town = signed
    open_it(town, frozen_clock)
    town.now = town.hour
    mother = town.parent_of(town.ana)
    phone = town.session.get_one(Account, mother.account_id).phone
    town.second_guardian(town.ben, other=SimpleNamespace(phone=phone, actor=mother))
    assert look(town, town.ana, now=town.hour) is not None
    offers.decline(town.session, town.offer_for(town.ben).id, by=town.parent_of(town.ben), now=town.hour)
    town.session.commit()
    assert look(town, town.ana, now=town.hour) is None
    sign_in(client, mother.account_id)
    page = client.get(address(town.ana)).text
    assert "等待另一位监护人：本本" in page
    assert "金苹果" in page


@pytest.mark.parametrize("settled", [False, True])
def test_tru17_a_case_of_the_family_is_told_in_the_first_hour_too(signed, client, frozen_clock, settled):
    """An open or settled case that holds nothing is told on the page, which is made from the rows then."""
    town = signed
    open_it(town, frozen_clock)
    mother = town.parent_of(town.cui)
    case = Case(
        kind=CaseKind.APPEAL, account_id=mother.account_id, application_id=town.cui.id, text="请再看一次。",
        opened_at=town.hour - SECOND, due_at=town.hour,
    )  # fmt: skip
    if settled:
        case.settled_at, case.outcome, case.answer = town.hour, CaseOutcome.REJECTED, "材料不符。"
    town.session.add(case)
    town.session.commit()
    assert look(town, town.cui, now=town.hour) is None
    assert look(town, town.ben, now=town.hour) is not None
    sign_in(client, mother.account_id)
    assert "您家提出的申诉和申请" in client.get(address(town.cui)).text


def test_tru17_whoever_stands_behind_a_family_that_left_before_the_hour_reads_its_own_place(town, client, frozen_clock):
    """The places in line are those of the preparation, so what they were counted from must not have changed."""
    only, other = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    ana, ben, cui, dan = (town.child(name, wishes=[only]) for name in ("安娜", "本本", "翠翠", "丹丹"))
    eva = town.child("伊娃", wishes=[other])
    fei = town.child("飞飞", wishes=[other])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(ana, ben, cui, dan, eva, fei)
    town.the_run = town.run()
    town.sign(town.the_run)
    town.hour = hours.publication_of(town.session, town.the_run.id).hour
    town.now = town.hour - SECOND * 30
    town.withdraw_after_the_draw(cui)
    town.session.commit()
    open_it(town, frozen_clock)
    in_line = {each.id: content["wishes"][0]["in_line"] for each in (ben, fei) if (content := contents(town)[each.id])}
    assert in_line == {ben.id: 1, fei.id: 1}, "in front of the child that left, and in another line: as prepared"
    assert look(town, dan, now=town.hour) is None
    sign_in(client, town.parent_of(dan).account_id)
    page = client.get(address(dan)).text
    assert "候补排在第 2 位" in re.sub(r"<[^>]+>", "", page)
    assert "公布时候补" not in page


def test_tru17_an_answer_ends_the_prepared_page(signed, client, frozen_clock):
    town = signed
    open_it(town, frozen_clock)
    sign_in(client, town.parent_of(town.ben).account_id)
    fill_in(client, f"{address(town.ben)}/wait")
    assert look(town, town.ben, now=town.hour) is None
    assert "已确认，并候补" in client.get(address(town.ben)).text
    assert look(town, town.ana, now=town.hour) is not None


def test_tru17_the_prepared_page_is_for_the_first_hour(signed, frozen_clock):
    town = signed
    open_it(town, frozen_clock)
    assert look(town, town.ana, now=town.hour + prepared_results.FRESH - SECOND) is not None
    assert look(town, town.ana, now=town.hour + prepared_results.FRESH) is None


def test_tru17_places_in_line_are_those_of_the_reasons(signed):
    """A test that counts anew: the prepared place in line is one more than the families refused with a better key."""
    town = signed
    told = contents(town)
    lines = {each["name"]: {} for content in told.values() for each in content["wishes"]}
    for content in told.values():
        for each in content["wishes"]:
            if each["reason"] in REFUSED:
                lines[each["name"]][(each["tier"], each["ticket"])] = each["in_line"]
            else:
                assert each["in_line"] is None
    assert lines["金苹果"]
    for line in lines.values():
        assert [line[key] for key in sorted(line)] == list(range(1, len(line) + 1))


def contents(town):
    rows = select(PreparedResult.run_id, PreparedResult.application_id, PreparedResult.content)
    return {
        row.application_id: json.loads(unseal(row.content, RESULT, row_name(row.run_id, row.application_id)))
        for row in town.session.execute(rows)
    }


def test_tru17_a_child_that_left_after_the_draw_stands_before_nobody(town):
    """Also in a run from before the children before a refused wish were counted once, when it was saved."""
    only = town.kindergarten("金苹果", places=1)
    first, *line = [town.child(name, wishes=[only]) for name in ("安娜", "本本", "翠翠", "丹丹")]
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(first, *line)
    run = town.run()
    counted = select(WishReason.refused_before).where(WishReason.run_id == run.id).order_by(WishReason.ticket)
    assert town.session.scalars(counted).all() == [None, 0, 1, 2]
    town.withdraw_after_the_draw(line[0])
    town.sign(run)
    in_line = {id_: content["wishes"][0]["in_line"] for id_, content in contents(town).items()}
    assert [in_line[each.id] for each in (first, *line)] == [None, 1, 1, 2]
    town.session.execute(text("SET LOCAL session_replication_role = replica"))
    town.session.execute(text("UPDATE wish_reason SET refused_before = NULL"))
    town.session.execute(text("DELETE FROM prepared_result"))
    town.session.execute(text("SET LOCAL session_replication_role = origin"))
    preparation.prepare_part(town.session, run.id, (None, None), by=town.city_pair()[0])
    assert {id_: content["wishes"][0]["in_line"] for id_, content in contents(town).items()} == in_line


def test_tru17_a_run_that_is_set_aside_leaves_no_prepared_result(signed):
    town = signed
    runs.set_aside(
        town.session, town.the_run.id, reason="抽签设备要复查", by=town.city_pair()[0], now=town.hour - SECOND * 90
    )
    assert town.session.scalar(select(func.count()).select_from(PreparedResult)) == 0


def test_tru17_no_address_gives_a_prepared_result_to_somebody_else(signed, client, frozen_clock):
    town = signed
    open_it(town, frozen_clock)
    sign_in(client, town.parent_of(town.ben).account_id)
    assert client.get(address(town.ana)).status_code == 404
