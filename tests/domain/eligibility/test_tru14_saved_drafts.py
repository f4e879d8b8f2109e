"""A page of a draft saved in one statement leaves the rows that the service leaves, and nothing where something changed."""

import datetime as dt
import itertools
import random
import uuid

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enrollment.applications import registration, wishes
from enrollment.applications.application_rows import Application, Wish
from enrollment.applications.claim_rows import Claim
from enrollment.applications.elder_siblings import Elder, ElderSibling
from enrollment.applications.statements import child_kept, draft_changes, keyed_write, wish_list
from enrollment.eligibility import claims, households
from enrollment.eligibility.statements import saved_grounds, saved_household
from enrollment.ground.accounts import Account
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.ground.sign_in import IdempotentResponse, RequestKey
from enrollment.people import household_rows
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Child, Guardianship
from enrollment.results import family_state
from enrollment.season.facts import Ground
from tests.support.prepared import prepared
from tests.support.random_families import random_family, undone, values

ANSWER = {"body": b"", "location": "/"} | dict.fromkeys(["visit", "visitor", "visit_data", "seen_at", "expires_at"])
_keys = itertools.count()


@prepared
def places(town):
    return [town.kindergarten(name, places=2) for name in ("锦江区机关第一幼儿园", "锦官新城幼儿园", "金苹果")]


class Wishes:
    """The page of the wishes."""

    def __init__(self, town, application, places, chance):
        wished = chance.sample(places, chance.randint(0, len(places)))
        self.ids = [town.programme_of(place).id for place in wished]

    def by_service(self, town, application, by):
        round_id, version = town.the_round.id, application.version
        wishes.set_wishes(town.session, application.id, round_id, self.ids, version=version, by=by, now=town.now)

    def change(self, read, application, by, now):
        return wish_list.change(application.id, self.ids, version=application.version, by=by, now=now)


class HouseholdPage:
    def __init__(self, town, application, places, chance):
        said = {
            "hukou_kind": chance.choice(["local", "collective", "elsewhere"]),
            "hukou_area": chance.choice(["510104", "510105"]),
            "hukou_since": chance.choice([None, dt.date(2019, 5, 1)]),
            "home_area": "510104",
            "home_street": chance.choice([None, "合江亭街道"]),
            "home_estate": chance.choice([None, "  锦官  新城 "]),
            "home_address": chance.choice([None, "模拟数据路 1 号"]),
            "home_longitude": chance.choice([None, "104.081234"]),
            "home_latitude": "30.651234",
            "home_owned": chance.choice([None, True, False]),
            "work_area": chance.choice([None, "510107"]),
            "residence_permit_area": chance.choice([None, "510104"]),
        }
        self.said = said | ({"home_area": None, "home_outside": True} if chance.random() < 0.2 else {})

    def version(self, session, application):
        found = household_rows.household_of(session, application.id)
        return found.version if found else 0

    def by_service(self, town, application, by):
        version = self.version(town.session, application)
        households.save(town.session, application.id, by=by, now=town.now, version=version, **self.said)

    def change(self, read, application, by, now):
        version = self.version(read, application)
        return saved_household.change(read, application, self.said, version=version, by=by, now=now)


class Grounds:
    def __init__(self, town, application, places, chance):
        all_grounds = {
            Ground.ELDER_SIBLING: chance.choice(places).code,
            Ground.STAFF_CHILD: chance.choice(places).code,
            Ground.SPECIAL_NEED: True,
            Ground.POLICY_CARE: "martyr",
            Ground.MULTI_CHILD: chance.randint(2, 4),
        }
        self.among = [ground for ground in claims.ASKED if chance.random() < 0.8]
        wanted = {ground: detail for ground, detail in all_grounds.items() if chance.random() < 0.5}
        self.grounds = {ground: detail for ground, detail in wanted.items() if ground in self.among}
        self.elder = chance.choice(
            [
                None,
                Elder("陈宇", "", dt.date(2021, 5, 1)),
                Elder(" 陈  宇 ", "E1234567", None),
                Elder("陈宇", "e-12345678"),
            ]
        )

    def by_service(self, town, application, by):
        version = application.version
        claims.set_claims(
            town.session,
            application.id,
            self.grounds,
            among=self.among,
            elder=self.elder,
            version=version,
            by=by,
            now=town.now,
        )

    def change(self, read, application, by, now):
        version = application.version
        return saved_grounds.change(
            read, application, self.grounds, self.elder, among=self.among, version=version, by=by, now=now
        )


class ChildPage:
    def __init__(self, town, application, places, chance):
        child = application.child
        self.said = {name: getattr(child, name) for name in ("name", "id_kind", "id_number", "born", "sex")}
        self.said["relation"] = chance.choice(["mother", "father", "grandparent"])
        self.version = child.version

    def by_service(self, town, application, by):
        registration.correct_child(town.session, application.id, version=self.version, by=by, now=town.now, **self.said)

    def change(self, read, application, by, now):
        return child_kept.change(read, application, self.said, version=self.version, by=by, now=now)


PAGES = [Wishes, HouseholdPage, Grounds, ChildPage]


def rows_of(session, application) -> dict[str, list]:
    """Everything that a save of a page may change, as plain values."""
    ids = [str(application.id), str(application.child_id)]
    about = {
        Application: Application.id == application.id,
        Household: Household.application_id == application.id,
        Claim: Claim.application_id == application.id,
        ElderSibling: ElderSibling.application_id == application.id,
        Wish: Wish.application_id == application.id,
        Child: Child.id == application.child_id,
        Guardianship: Guardianship.child_id == application.child_id,
        AuditEntry: AuditEntry.subject_id.in_(ids),
        Notice: Notice.application_id == application.id,
    }
    new = {AuditEntry: {"number", "writer", "turn", "written_at"}, Notice: {"id"}}
    found = {}
    for table, where in about.items():
        rows = session.scalars(select(table).where(where))
        found[table.__tablename__] = sorted((values(row, new.get(table, set())) for row in rows), key=repr)
    return found


def changed_in_one_statement(town, application, page, by):
    """The change of a page, from the family's state as a request reads it."""
    account = town.session.get_one(Account, by.account_id)
    town.session.flush()
    with Session(town.session.connection(), autoflush=False) as read:
        family_state.read_ahead(read, account)
        mine = read.get_one(Application, application.id)
        if not draft_changes.is_plain(read, mine, now=town.now):
            return None
        return page.change(read, mine, by, town.now)


def key_of(by, now) -> RequestKey:
    return RequestKey(f"{by.account_id.hex}:{next(_keys)}", by.account_id, b"body", now)


def write(town, change, by) -> bool:
    done = keyed_write.write(town.session, change, key=key_of(by, town.now), location="/next")
    town.session.expire_all()
    return done


@pytest.mark.parametrize("seed", range(5))
def test_TRU14_a_page_saved_both_ways_leaves_the_same_rows(town, places, seed):
    chance = random.Random(seed)
    ana = random_family(town, places, chance)
    by = town.parent_of(ana)
    if seed == 0:
        town.session.execute(text("DELETE FROM household"))
        town.session.expire_all()
    for make in PAGES:
        page = make(town, ana, places, chance)
        town.at(town.now + dt.timedelta(minutes=1))
        refused = None
        with undone(town.session):
            try:
                page.by_service(town, ana, by)
            except Refused as fault:
                refused = fault
            expected = rows_of(town.session, ana)
        if refused is not None:
            with pytest.raises(Refused, match=refused.code):
                changed_in_one_statement(town, ana, page, by)
            continue
        before = rows_of(town.session, ana)
        assert write(town, changed_in_one_statement(town, ana, page, by), by) is True
        assert rows_of(town.session, ana) == expected != before
    assert town.session.scalar(select(func.count()).select_from(IdempotentResponse)) >= 3


MEANWHILE = {
    "held": "UPDATE application SET on_hold = true",
    "bound": "UPDATE application SET unit = gen_random_uuid()",
    "saved elsewhere": "UPDATE application SET version = version + 1",
    "withdrawn": "UPDATE application SET stage = 'withdrawn'",
    "registration closed": "UPDATE round SET stage = 'closed'",
    "no guardian any more": "UPDATE guardianship SET accepted_at = NULL",
}


@pytest.mark.parametrize("make", PAGES, ids=lambda each: each.__name__)
def test_TRU14_nothing_is_saved_if_something_changed_since_it_was_read(town, places, make):
    chance = random.Random(1)
    ana = town.child("安娜", wishes=places[:2], submit=False)
    by = town.parent_of(ana)
    change = changed_in_one_statement(town, ana, make(town, ana, places, chance), by)
    town.session.commit()  # a statement that writes nothing rolls its transaction back
    of_page = {
        Wishes: ("a programme left the round", "DELETE FROM round_programme"),
        HouseholdPage: ("the household alone", "UPDATE household SET version = version + 1"),
        ChildPage: ("the child alone", "UPDATE child SET version = version + 1"),
    }
    happens = [*MEANWHILE.items(), *([of_page[make]] if make in of_page else [])]
    for _name, statement in happens:
        with town.session.connection().begin_nested() as point:
            town.session.execute(text(statement))
            found = town.session.connection().exec_driver_sql(
                change.statement,
                change.values | ANSWER | {"key": uuid.uuid4().hex, "real_now": town.now},
            )
            row = found.one_or_none()
            assert row is None or row[0] is None, statement
            point.rollback()
    town.session.expire_all()
    assert write(town, change, by) is True


def test_TRU14_a_kindergarten_that_closed_meanwhile_is_left_to_the_service(town, places):
    ana = town.child("安娜", wishes=places[:1], submit=False)
    by, page = town.parent_of(ana), Grounds(town, ana, places, random.Random(3))
    page.grounds, page.elder = {Ground.STAFF_CHILD: places[2].code}, None
    change = changed_in_one_statement(town, ana, page, by)
    places[2].closed_on = dt.date(2026, 1, 1)
    town.session.commit()
    assert write(town, change, by) is False
    assert claims.of(town.session, ana.id).keys() & {Ground.STAFF_CHILD} == set()


def test_TRU14_another_identity_or_an_old_page_is_left_to_the_service(town, places):
    ana = town.child("安娜", wishes=places[:1], submit=False)
    by, now = town.parent_of(ana), town.now
    for name, value in (("name", "安妮"), ("relation", "aunt")):
        page = ChildPage(town, ana, places, random.Random(1))
        page.said[name] = value
        assert _left_to_service(town, ana, page, by), name
    for make in (HouseholdPage, ChildPage):
        page = make(town, ana, places, random.Random(1))
        page.version = (lambda *_a: 99) if make is HouseholdPage else 99
        assert changed_in_one_statement(town, ana, page, by) is None
    twice = [town.programme_of(places[0]).id] * 2
    assert wish_list.change(ana.id, twice, version=1, by=by, now=now) is None
    town.submit(ana)
    assert changed_in_one_statement(town, ana, Grounds(town, ana, places, random.Random(1)), by) is None


def _left_to_service(town, application, page, by) -> bool:
    try:
        return changed_in_one_statement(town, application, page, by) is None
    except Refused:
        return True


class ShownGrounds(Grounds):
    """A page that shows one ground, after wishes in an area where only that one counts."""

    def __init__(self):
        self.among, self.grounds, self.elder = [Ground.SPECIAL_NEED], {Ground.SPECIAL_NEED: True}, None


@pytest.mark.parametrize("way", ["service", "statement"])
def test_what_the_page_of_grounds_does_not_show_stays(town, places, way):
    """The claims for kindergartens of an area that the family wished for before, and the elder sibling with them."""
    ana = town.child("安娜", wishes=places, submit=False)
    by, page = town.parent_of(ana), ShownGrounds()
    before = {Ground.ELDER_SIBLING: places[0].code, Ground.STAFF_CHILD: places[1].code}
    elder = Elder("陈宇", "E1234567", None)
    claims.set_claims(town.session, ana.id, before, elder=elder, by=by, now=town.now)
    if way == "service":
        page.by_service(town, ana, by)
    else:
        assert write(town, changed_in_one_statement(town, ana, page, by), by)
    assert set(claims.of(town.session, ana.id)) >= {*before, Ground.SPECIAL_NEED}
    assert town.session.get(ElderSibling, ana.id) is not None
