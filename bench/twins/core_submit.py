"""The submission as a plain Flask application with SQLAlchemy Core would write it, over the portal's own tables.

It reads the portal's sessions and checks its tokens.  It does less than the portal: no child and no guardians in the
answers, no second guardian, no bonds, no returned applications.
"""

import datetime as dt
import hashlib
import os
import uuid

from flask import Flask, abort, g, redirect, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import insert, select, update

import enrollment.tables  # noqa: F401  every table is known before the first statement
from bench.twins.sealed_answers import registration_code, sealed, unlock
from enrollment.applications.application_rows import Application, ApplicationVersion, Wish
from enrollment.applications.lifecycle import MoveMade
from enrollment.ground.accounts import Account, RoleGrant
from enrollment.ground.audit import AuditEntry
from enrollment.ground.db import open_engine
from enrollment.ground.outbox import Notice
from enrollment.ground.sign_in import IdempotentResponse, WebSession
from enrollment.people.consents import Consent
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.season.round_rows import Round

app = Flask(__name__)
unlock(os.environ["BENCH_FOLDER"])
engine = open_engine(os.environ["DATABASE_URL"], pool_size=2)
signer = URLSafeTimedSerializer(os.environ["SECRET_KEY"], salt="wtf-csrf-token")

applications, versions, wishes = Application.__table__, ApplicationVersion.__table__, Wish.__table__
moves, entries, notices = MoveMade.__table__, AuditEntry.__table__, Notice.__table__
households, guardians, guardianships = Household.__table__, Guardian.__table__, Guardianship.__table__
keys, sessions, accounts = IdempotentResponse.__table__, WebSession.__table__, Account.__table__
grants, consents, rounds = RoleGrant.__table__, Consent.__table__, Round.__table__


@app.post("/parents/applications/<uuid:application_id>/check")
def submit(application_id: uuid.UUID):
    now = dt.datetime.now(dt.UTC)
    with engine.begin() as connection:
        g.session = connection.execute(
            select(sessions.c.account_id, sessions.c.data).where(
                sessions.c.digest == hashlib.sha256(request.cookies.get("session", "").encode()).digest(),
                sessions.c.expires_at > now,
            )
        ).one_or_none() or abort(403)
        account_id, form = g.session.account_id, request.form
        try:
            if signer.loads(form["csrf_token"]) != g.session.data["csrf_token"]:
                abort(400)
        except BadSignature:
            abort(400)
        connection.execute(select(accounts.c.id, accounts.c.disabled_at).where(accounts.c.id == account_id)).one()
        connection.execute(select(grants.c.role).where(grants.c.account_id == account_id)).all()
        digest = hashlib.sha256(repr(sorted(form.items())).encode()).digest()
        key = f"{account_id.hex}:{form['idempotency_key']}"
        known = connection.execute(select(keys.c.body_digest, keys.c.location).where(keys.c.key == key)).one_or_none()
        if known is not None:
            return redirect(known.location, 303) if known.body_digest == digest else abort(409)
        mine = (
            select(guardianships.c.child_id)
            .join(guardians, guardians.c.id == guardianships.c.guardian_id)
            .where(guardians.c.account_id == account_id, guardianships.c.accepted_at.is_not(None))
        )
        draft = connection.execute(
            select(applications)
            .where(applications.c.id == application_id, applications.c.child_id.in_(mine))
            .with_for_update(key_share=True)
        ).one_or_none() or abort(404)
        if draft.stage != "draft" or draft.version != int(form["version"]):
            abort(409)
        connection.execute(
            select(rounds.c.id).where(rounds.c.year == draft.year, rounds.c.opens_at <= now, rounds.c.closes_at > now)
        ).first() or abort(409)
        given = consents.c.account_id == account_id, consents.c.withdrawn_at.is_(None)
        connection.execute(select(consents.c.id).where(*given)).first() or abort(409)
        home = connection.execute(
            select(households).where(households.c.application_id == application_id)
        ).mappings().one_or_none() or abort(409)
        listed = connection.scalars(
            select(wishes.c.programme_id).where(wishes.c.application_id == application_id).order_by(wishes.c.rank)
        ).all() or abort(409)
        agrees = form.get("agrees_to_central") == "y"
        text, said = sealed(home, listed, agrees, application_id)
        connection.execute(
            update(applications)
            .where(applications.c.id == application_id)
            .values(
                stage="submitted", version=draft.version + 1, submitted_at=now, changed_at=now,
                registration_code=registration_code(), agrees_to_central=agrees,
            )
        )  # fmt: skip
        connection.exec_driver_sql(
            "INSERT INTO application_version (application_id, number, answers, digest, changed, submitted_at, submitted_by)"
            " VALUES (%s, 1, %s, %s, '[]', %s, %s)",
            (application_id, text, said, now, account_id),
        )
        made = {"before": "draft", "after": "submitted"}
        connection.execute(
            insert(moves).values(application_id=application_id, move="submit", account_id=account_id, at=now, **made)
        )
        connection.execute(
            insert(entries).values(
                at=now, account_id=account_id, act="submit", subject="application", subject_id=str(application_id),
                details=made,
            )
        )  # fmt: skip
        connection.execute(
            insert(notices).values(
                id=uuid.uuid4(), key=f"receipt:1:{application_id}:{account_id}", kind="application_submitted",
                account_id=account_id, child_id=draft.child_id, application_id=application_id, params={}, created_at=now,
            )
        )  # fmt: skip
        location = f"/parents/applications/{application_id}/receipts/1"
        connection.execute(
            insert(keys).values(
                key=key, account_id=account_id, body_digest=digest, status=303, location=location, done_at=now
            )
        )
    return redirect(location, 303)
