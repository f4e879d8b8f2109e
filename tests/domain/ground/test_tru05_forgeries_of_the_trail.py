"""TRU05, R12: every random forgery of the audit trail is found, by comparison with the head that was copied out before."""

import datetime as dt
import random
from collections import Counter

import pytest
from sqlalchemy import text

from enrollment.ground.audit_chain import heads, sealing
from enrollment.ground.audit_chain.verification import FindingKind, verify
from enrollment.ground.maintenance_permits import grant_permit
from tests.support.audit_forgeries import FORGERIES, Forger
from tests.support.town_season import at

DAY = dt.timedelta(days=1)


@pytest.fixture
def forger(town, monkeypatch):
    """The trail of a season, sealed over three days, with a permit; a copy of its head is outside."""
    session, clock = town.session, heads.database_clock
    forger = Forger(session, random.Random(1), 0, {})
    monkeypatch.setattr(heads, "database_clock", lambda session: clock(session) - 2 * DAY)
    garden = town.kindergarten("锦官园", places=1)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本恩"))
    town.clerk_sends_back(ben, "hukou_booklet")
    session.flush()
    sealing.seal(session)
    monkeypatch.setattr(heads, "database_clock", lambda session: clock(session) - DAY)
    town.submit(ben)
    town.drawn(ana, ben)
    sealing.seal(session)
    monkeypatch.setattr(heads, "database_clock", clock)
    grant_permit(session, "reseal")
    town.at(at(8, 25))
    forger.act(1)
    sealing.seal(session)
    columns = "number, link, digest, sealed_at, mac"
    newest = text(f"SELECT {columns} FROM audit_head ORDER BY number DESC LIMIT 1")
    forger.old_head = dict(session.execute(newest).mappings().one())
    forger.act(2)
    sealing.seal(session)
    forger.links = heads.newest(session).link
    return forger


def forge_many(forger, count: int) -> tuple[Counter, Counter, Counter]:
    """How many of each kind were tried, found, and found without the copy of the head."""
    session, names = forger.session, sorted(FORGERIES)
    copy = heads.newest(session)
    assert verify(session, copy).findings == []
    tried, found, inside = Counter(), Counter(), Counter()
    for number in range(count):
        name = names[number % len(names)]
        point = session.begin_nested()
        session.expire_all()
        forger.forge(name)
        kinds = {finding.kind for finding in verify(session, copy).findings}
        tried[name] += 1
        found[name] += bool(kinds)
        inside[name] += bool(kinds - {FindingKind.COPY})
        point.rollback()
    session.expire_all()
    assert verify(session, copy).findings == [], "each forgery was taken back"
    return tried, found, inside


def report(tried: Counter, found: Counter, inside: Counter) -> str:
    lines = [f"{name}: {found[name]} of {tried[name]}, without the copy {inside[name]}" for name in sorted(tried)]
    lines.append(f"all: {found.total()} of {tried.total()}, without the copy {inside.total()}")
    return "\n".join(lines)


def test_tru05_two_hundred_forgeries_are_found(forger):
    tried, found, inside = forge_many(forger, 204)
    assert found == tried, report(tried, found, inside)


@pytest.mark.parametrize("change", ["counts = '{}'", "since = since - 1", "key = 'k'", "sealed_at = '2020-01-01'"])
def test_tru05_a_changed_head_is_not_signed_again(forger, change):
    """The sealer goes on with today's head, and what was changed in it stays a finding."""
    forger.role("replica")
    forger.run(f"UPDATE audit_head SET {change} WHERE number = (SELECT max(number) FROM audit_head)")
    forger.act()
    forger.seal()
    assert FindingKind.HEAD in {finding.kind for finding in verify(forger.session).findings}
