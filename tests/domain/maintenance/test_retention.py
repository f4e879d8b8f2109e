"""Retention: data are deleted at the time that consent and data register name, and not before."""

import datetime as dt
import json
from collections import Counter

import pytest
from sqlalchemy import LargeBinary, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from allocation.files import opening_verification, public_reader
from enrollment.applications import register_answers
from enrollment.applications.applications import Application
from enrollment.applications.register_answers import Answer
from enrollment.draw.draws import Ticket
from enrollment.draw.run_rows import Opening, Run
from enrollment.eligibility import evidence
from enrollment.ground import audit, jobs, outbox, sign_in
from enrollment.ground.accounts import Account
from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain import sealing
from enrollment.ground.audit_chain.verification import Finding, FindingKind, verify
from enrollment.ground.db import open_engine
from enrollment.ground.maintenance_permits import MaintenancePermit, grant_permit
from enrollment.ground.retention import Moment
from enrollment.ground.sealed.values import Sealed
from enrollment.ground.sign_in import IdempotentResponse, WebSession
from enrollment.ground.vault import blind_index, row_name, unseal_file
from enrollment.maintenance import invariants, retention
from enrollment.offers.arrivals import arrival
from enrollment.people import children
from enrollment.people.consents import Consent
from enrollment.places.roll import RollChild
from enrollment.results import family_files
from enrollment.review import cases, refusals
from enrollment.review.cases import Case
from enrollment.season.document_kinds import Document
from enrollment.tables import METADATA
from tests.conftest import NOW
from tests.domain.eligibility.test_evidence import photo
from tests.guards.test_data_register import REGISTER
from tests.support.permit_clock import stop_permit_clock
from tests.support.prepared import prepared
from tests.support.town import Town
from tests.support.town_families import id_number
from tests.support.town_season import at

A_YEAR_LATER, THREE_YEARS_LATER = at(9, 1, year=2027), at(9, 2, year=2029)
BORN = dt.date(2022, 11, 11)


def apply(town, moment: dt.datetime) -> dict[str, Counter]:
    """The nightly run at a given time."""
    town.now = max(town.now, moment)
    stop_permit_clock(town.session, moment)
    gone = retention.apply_all(town.session, Moment(moment, moment))
    town.session.expire_all()
    return gone


def everything(session) -> dict[tuple[str, str], list]:
    """Every value of every text and bytes column, opened where it is sealed; JSON as text."""
    found = {}
    for table in METADATA.sorted_tables:
        for column in table.columns:
            key = ", ".join(f'"{part.name}"' for part in table.primary_key.columns)
            plain = select(text(f'"{column.name}" AS value, {key}')).select_from(text(f'"{table.name}"'))
            rows = [tuple(row) for row in session.execute(plain) if row.value is not None]
            values = [value for value, *_ in rows]
            names = [row_name(*key) for _value, *key in rows]
            if isinstance(column.type, Sealed):
                values = [column.type.opened(value, row) for value, row in zip(values, names, strict=True)]
            elif "sealed" in column.info:
                opened = [
                    unseal_file(bytes(value), column.info["sealed"], row)
                    for value, row in zip(values, names, strict=True)
                ]
                values = [content.decode("utf-8", "replace") for content in opened]
            elif isinstance(column.type, LargeBinary):
                values = [bytes(value).hex() for value in values]
            found[table.name, column.name] = [
                json.dumps(v, ensure_ascii=False, default=str) if isinstance(v, dict | list) else str(v) for v in values
            ]
    return found


def places_of(session, *canaries: str) -> set[str]:
    """Tables in which a canary is found, in any column."""
    return {
        table
        for (table, _), values in everything(session).items()
        for value in values
        if any(c in value for c in canaries)
    }


class Bird:
    """A family with recognisable data: input, derived values and codes."""

    def __init__(self, town, name: str, garden, **more):
        self.name, self.phone = name, f"1390{abs(hash(name)) % 10**7:07d}"
        self.number = id_number(BORN, region="510199")
        self.family = town.family(f"{name}家", phone=self.phone, home_address=f"{name}巷 7 号")
        town.agree_to_registers(self.family)
        self.application = town.child(
            f"{name}孩",
            family=self.family,
            born=BORN,
            number=self.number,
            wishes=[garden],
            grounds={"multi_child": 2},
            **more,
        )
        by, now, mine = self.family.actor, town.now, self.application
        evidence.add_pages(town.session, mine.id, Document.HUKOU_BOOKLET, [photo()], by=by, now=now)
        register_answers.note(
            town.session, [Answer(mine.id, "hukou_area", "household_register", "matches", "510104")], now=now
        )
        self.other = town.second_guardian(mine, f"{name}爸")
        outbox.add_text_message(town.session, self.phone, f"{name}的验证码", key=f"code:{self.application.id}", now=now)
        sign_in.send_code(town.session, self.phone, now=now)

    @property
    def traces(self) -> tuple[str, ...]:
        mine = self.application
        indexes = [blind_index(self.phone, "phone"), blind_index(self.other.phone, "phone"), mine.child.id_index]
        codes = (mine.registration_code, mine.child_code, mine.family_code, str(mine.child_id))
        return (self.name, self.phone, self.other.phone, self.number, *codes, *(index.hex() for index in indexes))


@prepared
def season(town):
    """A season that is over: Jin was admitted and arrived, Huang found no place, Lu was refused; each has rows in every possible table."""
    town.garden = town.kindergarten("锦官园", places=1)
    jin, huang, lu = (Bird(town, name, town.garden) for name in ("金丝雀", "黄鹂鸟", "鹭鸶鸟"))
    town.clerk_sends_back(huang.application, "hukou_booklet")
    town.submit(huang.application)
    proposal = town.clerk_proposes_refusal(lu.application, explanation="鹭鸶鸟材料不实")
    refusals.decide_refusal(town.session, proposal.id, upheld=True, by=town.head_of(town.garden), now=town.now)
    town.drawn(jin.application, huang.application)
    town.confirm(jin.application)
    town.at(at(8, 25))
    here = {"by": town.head_of(town.garden), "now": town.now, "class_name": "小一班"}
    arrival.mark_arrived(town.session, town.offer_for(jin.application).id, **here)
    town.two_agree(town.requests_correction(jin.application, "name", name="金丝雀孩子"))
    code = jin.application.registration_code
    town.finds_error(huang.application, "duplicate", by=town.city_pair()[0], other=code)
    jobs.enqueue(town.session, "check_invariants", now=town.now)
    sealing.seal(town.session)
    town.jin, town.huang, town.lu = jin, huang, lu
    town.traces = {bird.name: bird.traces for bird in (jin, huang, lu)}
    return town


def test_every_retention_of_the_register_has_a_rule_or_is_not_deleted():
    said = {entry["retention"] for entry in REGISTER.values()}
    assert said == {words for rule in retention.RULES for words in rule.words} | set(retention.NOT_DELETED)


def test_the_canaries_are_there_before(season):
    """Otherwise the following tests would prove nothing."""
    for name, traces in season.traces.items():
        found = places_of(season.session, *traces)
        assert found >= {
            "account",
            "child",
            "guardian",
            "household",
            "application",
            "application_version",
            "text_message",
        }
        assert ("roll_child" in found) == (name == "金丝雀")


def test_nothing_is_deleted_early(season):
    gone = apply(season, A_YEAR_LATER - dt.timedelta(days=2))
    assert set(gone["season"]) <= {"notice"}, "an invitation's message, a year old"
    assert season.session.scalar(select(func.count()).select_from(Application)) == 3


def test_a_year_after_the_season_only_the_roll_contains_the_children(season):
    session = season.session
    gone = apply(season, A_YEAR_LATER)
    assert gone["season"]["application"] == 3
    for name, (title, phone, other, number, registration, child, family, id_, *indexes) in season.traces.items():
        on_roll = {"roll_child", "roll_correction"} if name == "金丝雀" else set()
        assert places_of(session, number, registration, f"{title}孩", f"{title}巷", indexes[-1]) == on_roll
        assert places_of(session, id_) <= {"audit_entry"}, "a pointer into nothing"
        assert places_of(session, phone, other, title) <= {"account", *on_roll}, "two years more for the account"
        assert places_of(session, child, family) == set(), "the file of the draw is packed; see below"
    assert session.scalars(select(RollChild.left_on)).all() == [None]
    assert session.scalar(select(func.count()).select_from(Ticket)) == 0

    assert list(invariants.find_violations(session)) == []
    sealing.seal(session)
    assert verify(session, demo=True).findings == []
    last = session.scalars(select(AuditEntry).where(AuditEntry.act == "forget")).all()
    assert {entry.subject_id for entry in last} >= {"season", "one_day"}
    assert all(isinstance(count, int) for entry in last for count in entry.details["rows"].values())


def test_a_saved_opening_proves_the_result_after_the_family_was_deleted(season, tmp_path):
    """Nothing here says any more who had which ticket; the family's own file and the public one still agree."""
    session, mine = season.session, season.huang.application
    saved = json.loads(family_files.of_application(session, mine, by=season.parent_of(mine), now=season.now))
    ticket = season.ticket_of(mine)
    apply(season, A_YEAR_LATER)
    assert session.scalar(select(func.count()).select_from(Opening)) == 0
    run = session.scalars(select(Run)).one()
    (tmp_path / "public.zip").write_bytes(run.public_file)
    public = public_reader.open_public(tmp_path / "public.zip")
    assert opening_verification.verify_opening(public, saved) == [] and saved["ticket"] == ticket
    saved["facts"]["wishes"][0][2] += 1
    assert opening_verification.verify_opening(public, saved)


def test_two_years_after_the_last_season_the_accounts_are_emptied(season):
    apply(season, A_YEAR_LATER)
    season.season(2028)
    gone = apply(season, THREE_YEARS_LATER)
    assert gone["account"]["account"] == 6
    for name, traces in season.traces.items():
        names = {"roll_child", "roll_correction"} if name == "金丝雀" else set()
        assert places_of(season.session, *traces) - {"audit_entry"} == names
    assert season.session.scalar(select(func.count()).select_from(Consent)) == 0
    assert list(invariants.find_violations(season.session)) == []


def test_an_account_that_took_part_in_a_later_season_stays(season):
    """Huang's parent applied again in 2027; its account outlives that season by two years, the first application by one."""
    season.now = at(4, 2, year=2027)
    season.season(2027)
    season.programme(season.garden, places=1, year=2027, level="middle")
    season.at(at(5, 22, year=2027))
    season.open_registration(levels=["middle"])
    huang = season.huang
    again = season.child(
        "黄鹂鸟孩",
        family=huang.family,
        born=BORN,
        number=huang.number,
        year=2027,
        level="middle",
        wishes=[season.garden],
    )
    gone = apply(season, A_YEAR_LATER)
    assert gone["season"]["application"] == 3
    assert season.session.get(Application, again.id).child.name == "黄鹂鸟孩"
    assert len(children.accounts_of(season.session, again.child_id)) == 2, "both guardians stay with the child"
    apply(season, at(9, 2, year=2028))
    assert season.session.scalar(select(func.count()).select_from(Application)) == 0
    huangs = select(func.count()).select_from(Account).where(Account.phone_index == blind_index(huang.phone, "phone"))
    assert season.session.scalar(huangs) == 1
    apply(season, at(9, 2, year=2029))
    assert season.session.scalar(huangs) == 0


def test_what_a_helper_entered_on_paper_goes_with_its_season_and_its_account_after_two_more(town):
    garden = town.kindergarten("锦官园", places=1)
    town.open_registration()
    yang, phone, number = town.helper("小杨"), "13977776666", id_number(dt.date(1988, 3, 3))
    acting = town.acting(yang, town.mandate_on_paper(yang, phone, "鸬鹚鸟"))
    baby = town.helper_enters(acting, "鸬鹚鸟孩", wishes=[garden], guardian="鸬鹚鸟", guardians_number=number)
    town.drawn(baby)
    traces = ("鸬鹚鸟", phone, number, blind_index(phone, "phone").hex())
    assert places_of(town.session, *traces) >= {"mandate", "account", "guardian", "child"}
    gone = apply(town, A_YEAR_LATER)
    assert gone["season"]["mandate"] == 1
    assert places_of(town.session, *traces) == {"account"}
    town.season(2028)
    apply(town, THREE_YEARS_LATER)
    assert places_of(town.session, *traces) == set()
    assert list(invariants.find_violations(town.session)) == []


def test_an_open_case_keeps_its_family_until_it_is_settled_and_the_case_three_years_more(season):
    told = {"child_name": "黄鹂鸟孩", "id_kind": "resident", "id_number": season.huang.number}
    stranger = season.family("路人")
    case = cases.open_dispute(season.session, text="黄鹂鸟是我的孩子", by=stranger.actor, now=season.now, **told)
    gone = apply(season, A_YEAR_LATER)
    assert gone["season"]["application"] == 2, "the others go"
    cases.settle(
        season.session,
        case.id,
        outcome="rejected",
        reason="经核实无监护关系",
        by=season.city_official(),
        now=season.now,
    )
    assert apply(season, A_YEAR_LATER + dt.timedelta(days=1))["season"]["application"] == 1
    kept = season.session.get_one(Case, case.id)
    assert kept.application_id is None
    assert kept.text
    apply(season, A_YEAR_LATER + dt.timedelta(days=3 * 366))
    assert season.session.scalar(select(func.count()).select_from(Case)) == 0


def test_accounts_of_former_staff_are_emptied(season):
    first = season.session.get_one(Account, season.city_pair()[0].account_id)
    first.disabled_at = at(9, 1, year=2026) - dt.timedelta(days=5)
    season.session.flush()
    apply(season, THREE_YEARS_LATER)
    season.session.refresh(first)
    assert (first.login, first.phone, first.second_factor, first.name) == (None, None, None, "—")
    assert apply(season, THREE_YEARS_LATER)["account"] == Counter(), "once"


def test_short_lived_rows_are_deleted_in_time(season):
    session, real = season.session, season.now
    account = season.jin.family.account.id
    session.add(
        WebSession(
            digest=b"1", account_id=account, created_at=real, seen_at=real, expires_at=real + dt.timedelta(hours=1)
        )
    )
    session.add(IdempotentResponse(key="k", account_id=account, body_digest=b"", status=303, done_at=real))
    for message in session.scalars(select(outbox.TextMessage)):
        message.sent_at = season.now
    session.flush()
    done = session.scalars(select(jobs.Job).limit(1)).one()
    done.state, done.finished_at = "done", season.now
    first = retention.apply_all(session, Moment(season.now, real))
    assert set(first["session"] + first["thirty_days"] + first["job"]) <= {"invitation"}
    soon = retention.apply_all(session, Moment(season.now + dt.timedelta(days=2), real + dt.timedelta(hours=2)))
    assert soon["session"] == Counter(web_session=1)
    assert soon["one_day"]["text_message"] == 3
    later = retention.apply_all(session, Moment(season.now + dt.timedelta(days=31), real + dt.timedelta(days=31)))
    assert later["thirty_days"]["done_once"] == 1
    assert later["job"] == Counter(job=1)


def test_after_ten_years_draws_and_old_audit_entries_are_deleted(season):
    session = season.session
    apply(season, A_YEAR_LATER)
    sealing.seal(session)
    young = at(9, 3, year=2036) - dt.timedelta(days=1)
    audit.record(session, "sign_in", "account", "x", by=season.city_pair()[0], now=young)
    session.flush()
    sealing.seal(session)
    gone = apply(season, at(9, 3, year=2036))
    assert {"run", "cut_off", "draw", "snapshot", "ledger_entry", "signature", "audit_entry"} <= set(gone["decade"])
    sealing.seal(session)
    assert verify(session, demo=True).findings == []
    links = session.scalars(select(AuditEntry.link).order_by(AuditEntry.link)).all()
    assert links[0] == session.scalar(select(func.max(MaintenancePermit.audit_link))) + 1
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(text("UPDATE audit_entry SET reason = 'x' WHERE link = :link"), {"link": links[0]})
    session.expire_all()
    assert Finding(FindingKind.LINK, str(links[0])) in verify(session, demo=True).findings, (
        "and what is left is still held together"
    )


@pytest.fixture
def committed(real_database):
    """A season over for a year, in a database where each act is a transaction of its own."""
    engine = open_engine(real_database)
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        town.drawn(town.child("安娜", wishes=[town.kindergarten("锦官园", places=1)]))
        session.commit()
    yield engine
    engine.dispose()


def refusing(engine, *statements: str, kind: str | None = None, now: dt.datetime | None = None, **where) -> str:
    """Responses of PostgreSQL to statements in one transaction with a permit of `kind`, with its clock at `now`."""
    with Session(engine) as session:
        try:
            if now:
                stop_permit_clock(session, now)
            if kind:
                grant_permit(session, kind, **where)
            for statement in statements:
                assert session.execute(text(statement)).rowcount
            return "done"
        except IntegrityError as fault:
            return str(fault.orig).splitlines()[0]
        finally:
            session.rollback()


def test_the_door_is_narrow(committed):
    """It is open for its own transaction, its own kind and year, and for deleting alone."""
    late = {"now": A_YEAR_LATER}
    history = "DELETE FROM move_made"
    assert refusing(committed, history) == "move_made rows are only ever added"
    assert refusing(committed, history, kind="season", year=2026, **late) == "done"
    for table in ("move_made", "wish_reason", "placement", "ticket", "offer_move", "application_version"):
        assert refusing(committed, f"DELETE FROM {table}", kind="decade", **late) == f"{table} rows are only ever added"
    assert "only ever added" in refusing(
        committed, "UPDATE move_made SET reason = 'x'", kind="season", year=2026, **late
    )
    early = {"now": A_YEAR_LATER - dt.timedelta(days=3)}
    assert refusing(committed, history, kind="season", year=2026, **early) == "the season 2026 is not over for a year"
    for table in ("run", "draw", "snapshot", "cut_off", "signature", "ledger_entry", "audit_entry"):
        assert refusing(committed, f"DELETE FROM {table}", kind="decade", **late) != "done"
        assert refusing(committed, f"DELETE FROM {table}", kind="season", year=2026, **late) != "done"
    sealed = "UPDATE application_version SET answers = answers || ''::bytea"
    assert refusing(committed, sealed, kind="reseal", **late) == "done"
    assert refusing(committed, sealed, kind="season", year=2026, **late) != "done"
    assert refusing(committed, "UPDATE application_version SET digest = 'x'", kind="reseal", **late) != "done"
    with Session(committed) as session, session.begin():
        stop_permit_clock(session, A_YEAR_LATER)
        grant_permit(session, "season", year=2026)
    assert refusing(committed, history) == "move_made rows are only ever added", "closed behind the one who opened it"
    assert "only ever added" in refusing(committed, "DELETE FROM upkeep")
