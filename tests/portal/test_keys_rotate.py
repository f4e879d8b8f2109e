"""Key rotation at runtime: every encrypted value is encrypted with the new key, and the old key can be removed."""

import base64
import datetime as dt
import json

import pytest
from sqlalchemy import LargeBinary, bindparam, select, text, update

from enrollment.applications import applications, receipts
from enrollment.eligibility import evidence
from enrollment.ground import key_rotation, sign_in, vault
from enrollment.ground.audit import AuditEntry
from enrollment.ground.vault import Keys, VaultError
from enrollment.people.person_rows import Child
from enrollment.places.imports import uploads
from enrollment.review import cases
from enrollment.season.document_kinds import Document
from portal.operations import doctor, overdue_work
from tests.domain.eligibility.test_evidence import photo
from tests.guards.test_data_register import REGISTER
from tests.portal.web.test_signing_in import newest_code
from tests.support.keys import KEYS, write_key_file
from tests.support.office_files import xlsx
from tests.support.signing_in import fill_in

PHONE = "13800077777"


@pytest.fixture
def keys():
    """Whatever a test does with the vault, the next one finds it as it was."""
    yield
    vault.unlock(KEYS)


@pytest.fixture
def ana(app, town, keys):
    """A family with something in every sealed column that a family has."""
    family = town.family("安", phone=PHONE)
    ana = town.child("安娜", family=family, wishes=[town.kindergarten("锦官园", places=1)])
    town.second_guardian(ana)
    evidence.add_pages(town.session, ana.id, Document.HUKOU_BOOKLET, [photo()], by=family.actor, now=town.now)
    dispute = {"child_name": "某某", "id_kind": "resident", "id_number": ana.child.id_number, "text": "是我的孩子"}
    cases.open_dispute(town.session, by=family.actor, now=town.now, **dispute)
    town.child_on_roll(town.kindergartens_by_name("锦官园")[0], "路人", id_number="510104202001011234")
    uploads.store(town.session, "kindergartens", "a.xlsx", xlsx(), by=town.city_official(), now=town.now, year=2026)
    town.session.commit()
    return ana


def other_key() -> Keys:
    return Keys({**KEYS.sealing, "k2": b"2" * 32}, "k2", KEYS.index)


def test_the_sealed_columns_are_those_of_the_register():
    assert {each.name for each in key_rotation.sealed_columns()} == {
        f"{table}.{column}" for table, entry in REGISTER.items() for column in entry.get("sealed", [])
    }


def test_every_value_is_sealed_anew_and_the_old_key_can_go(app, town, ana):
    before = receipts.latest(town.session, ana)
    assert key_rotation.count_sealed_with(town.session, "test")["application_version.answers"] > 0
    vault.unlock(other_key())
    done = app.test_cli_runner().invoke(args=["keys", "rotate"])
    assert done.exit_code == 0, done.output
    assert "application_version.answers: done" in done.output
    town.session.rollback()
    assert key_rotation.count_sealed_with(town.session, "test") == {}
    assert len(key_rotation.count_sealed_with(town.session, "k2")) >= 12

    vault.unlock(Keys({"k2": b"2" * 32}, "k2", KEYS.index))
    town.session.expire_all()
    assert applications.own(town.session, ana.id, by=town.parent_of(ana)).child.name == "安娜"
    assert receipts.latest(town.session, ana) == before
    assert receipts.answers_in(town.session, ana, 1)["child"]["name"] == "安娜"
    assert sign_in.account_of_phone(town.session, PHONE, now=town.now).id == ana.entered_by, (
        "the blind index is as it was"
    )
    page = next(iter(evidence.pages_of(town.session, ana.id).values()))[0]
    assert evidence.page_content(town.session, ana.id, page.id).content
    told = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "reseal")).all()
    assert "child.name" in {entry.subject_id for entry in told}

    vault.unlock(other_key())
    again = app.test_cli_runner().invoke(args=["keys", "rotate"])
    assert "done" not in again.output, "nothing is sealed twice"


def test_rotation_continues_after_a_stop_and_keeps_concurrent_changes(app, town, ana):
    vault.unlock(other_key())
    names = next(each for each in key_rotation.sealed_columns() if each.name == "account.name")
    many = key_rotation.count_sealed_with(town.session, "test")["account.name"]
    first = key_rotation.rotate_batch(town.session, names, now=town.now, limit=2)
    town.session.commit()
    assert key_rotation.count_sealed_with(town.session, "test")["account.name"] == many - 2
    ana.child.name = "改了名"
    town.session.flush()
    assert key_rotation.count_sealed_with(town.session, "test").get("child.name", 0) == 0
    after: tuple | None = ()
    while after is not None:
        after = key_rotation.rotate_batch(town.session, names, after=after, now=town.now, limit=2)
    assert "account.name" not in key_rotation.count_sealed_with(town.session, "test")
    assert first
    town.session.commit()


def test_a_key_is_added_used_and_taken_out_of_the_file(app, town, ana, tmp_path):
    file = write_key_file(tmp_path / "keys.json")

    def run(*arguments) -> str:
        return app.test_cli_runner().invoke(args=["keys", *arguments]).output

    assert "restart" in run("add", str(file), "k2")
    assert "already" in run("add", str(file), "k2")
    assert Keys.from_file(file).current == "test", "every process learns it before one seals with it"
    run("use", str(file), "k2")
    vault.unlock(Keys.from_file(file))
    told = run("remove", str(file), "test")
    assert "child.name 1" in told
    assert "flask keys rotate" in told
    assert set(Keys.from_file(file).sealing) == {"test", "k2"}, "and nothing was taken out"
    run("rotate")
    assert "is out of" in run("remove", str(file), "test")
    left = Keys.from_file(file)
    assert (left.current, set(left.sealing), left.index) == ("k2", {"k2"}, KEYS.index)
    assert file.stat().st_mode & 0o077 == 0
    assert not json.loads(file.read_text())["sealing"].get("test")


@pytest.mark.parametrize("name", ["saved_form", "phone", "check_answers", "phone:7c1f", "sign_on_identity"])
def test_a_value_of_any_name_in_a_live_session_blocks_removing_the_old_key(app, town, ana, tmp_path, name):
    file = write_key_file(tmp_path / "keys.json")
    sealed = base64.b64encode(vault.seal_unbound("typed", f"web_session.{name}")).decode()
    data = json.dumps(
        {name: sealed, "_user_id": "x", "code_sent": True, "next": "/parents/?a=1", "attempts": [{"at": 1}]}
    )
    town.session.execute(
        text(
            "INSERT INTO web_session (digest, data, created_at, seen_at, expires_at) VALUES "
            "('x', :data, now(), now(), now() + interval '1 hour'), ('y', :data, now(), now(), now() - interval '1 second')"
        ),
        {"data": data},
    )
    town.session.commit()
    assert key_rotation.count_sealed_with(town.session, "test")["web_session.data"] == 1, (
        "nobody goes on with an expired one"
    )
    assert key_rotation.count_sealed_with(town.session, "tes") == {}
    app.test_cli_runner().invoke(args=["keys", "add", str(file), "k2"])
    app.test_cli_runner().invoke(args=["keys", "use", str(file), "k2"])
    vault.unlock(Keys.from_file(file))
    app.test_cli_runner().invoke(args=["keys", "rotate"])
    told = app.test_cli_runner().invoke(args=["keys", "remove", str(file), "test"]).output
    assert "web_session.data 1; they are of sessions, which are over after 12 hours at the latest" in told
    with pytest.raises(doctor.Unwell, match="key test: they are of sessions"):
        overdue_work.old_keys(town.session, Keys.from_file(file))
    town.session.execute(text("UPDATE web_session SET expires_at = now() WHERE digest = 'x'"))
    town.session.commit()
    assert "is out of" in app.test_cli_runner().invoke(args=["keys", "remove", str(file), "test"]).output


def test_what_a_session_holds_under_a_key_that_is_gone_counts_as_absent(app, town, ana, client, frozen_clock):
    fill_in(client, "/sign-in", phone=PHONE)
    assert client.get("/sign-in/code").status_code == 200
    with client.session_transaction() as kept:
        for name in ("saved_form", "check_answers"):
            kept.set_sealed(name, '{"owner": null, "at": 0, "parts": {}}')
    vault.unlock(other_key())
    app.test_cli_runner().invoke(args=["keys", "rotate"])
    vault.unlock(Keys({"k2": b"2" * 32}, "k2", KEYS.index))
    town.session.expire_all()
    assert client.get("/sign-in/code").headers["Location"] == "/sign-in"
    frozen_clock.set(town.now + dt.timedelta(minutes=2))
    fill_in(client, "/sign-in", phone=PHONE)
    assert fill_in(client, "/sign-in/code", code=newest_code(town.session)).headers["Location"] == "/parents"
    assert client.get("/parents", follow_redirects=True).status_code == 200


def test_the_doctor_says_what_is_still_to_do_with_a_key(app, town, ana):
    def fault(keys: Keys) -> str | None:
        return doctor.finding("keys", lambda: overdue_work.old_keys(town.session, keys)).fault

    assert fault(KEYS) is None
    assert "flask keys rotate" in fault(other_key())
    assert "flask keys use" in fault(KEYS.with_new("k2"))
    before = bindparam(None, vault.seal_unbound("安", "child.name"), type_=LargeBinary)
    town.session.execute(update(Child).values(name=before))
    assert "bound" in fault(KEYS)


def test_a_key_of_a_wrong_name_is_refused():
    with pytest.raises(VaultError):
        KEYS.with_new("test")
    with pytest.raises(VaultError):
        KEYS.using("nobody")
    with pytest.raises(VaultError):
        KEYS.without("test")
