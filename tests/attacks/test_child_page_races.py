"""The child's page saved in one statement while another transaction changes the child: all of it is written, or nothing."""

import datetime as dt
import threading
import uuid

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.statements import child_kept, keyed_write
from enrollment.ground.audit import AuditEntry
from enrollment.ground.sign_in import IdempotentResponse, RequestKey

WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def test_a_child_that_changes_while_the_statement_waits_leaves_nothing_half_done(race, now):
    town = race.town(now)
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)], submit=False)
    by, child = town.parent_of(ana), ana.child
    said = {name: getattr(child, name) for name in ("name", "id_kind", "id_number", "born", "sex")} | {
        "relation": "father"
    }
    town.session.commit()
    change = child_kept.change(town.session, ana, said, version=child.version, by=by, now=town.now)
    assert change is not None
    before, later = ana.version, town.now + dt.timedelta(minutes=1)
    town.session.commit()
    key = RequestKey(f"{by.account_id.hex}:{uuid.uuid4()}", by.account_id, b"body", later)
    written = []

    def save() -> None:
        with Session(race.engine) as session:
            written.append(keyed_write.write(session, change, key=key, location="/next"))

    saving = threading.Thread(target=save)
    with Session(race.engine) as other, Session(race.engine) as looking:
        other.execute(text("UPDATE child SET version = version + 1 WHERE id = :id"), {"id": child.id})
        saving.start()
        while not looking.scalar(WAITS):
            looking.rollback()
            assert saving.is_alive()
        other.commit()
    saving.join()
    assert written == [False]
    with Session(race.engine) as session:
        assert session.get_one(Application, ana.id).version == before
        assert session.scalar(select(func.count()).where(IdempotentResponse.key == key.key)) == 0
        corrected = select(func.count()).where(AuditEntry.act == "correct_child")
        assert session.scalar(corrected.where(AuditEntry.subject_id == str(child.id))) == 0
