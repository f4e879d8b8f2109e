"""What the portal is compared with: its own rows in raw pgbench, a bare Flask, and two twins of the submission."""

import re
import secrets
import subprocess
import sys

import psycopg

from bench.web import load
from bench.web.families import Family
from bench.web.ground import ROOT, Ground, Server
from portal.operations.embedded import BINARIES

DJANGO = "django==5.2.19"
OWN_ROWS = """\\set n random(1, :drafts)
BEGIN;
UPDATE application SET stage = 'submitted', version = version + 1, changed_at = now(), submitted_at = now(),
  registration_code = substr(md5(random()::text), 1, 12), agrees_to_central = true, review_kindergarten_id = t.kindergarten
  FROM bench_draft t WHERE t.n = :n AND application.id = t.id;
INSERT INTO application_version (application_id, number, answers, digest, changed, submitted_at, submitted_by)
  SELECT id, nextval('bench_number'), answers, digest, '[]', now(), account FROM bench_draft WHERE n = :n;
INSERT INTO move_made (application_id, move, before, after, account_id, at)
  SELECT id, 'submit', 'draft', 'submitted', account, now() FROM bench_draft WHERE n = :n;
INSERT INTO audit_entry (at, account_id, act, subject, subject_id, details)
  SELECT now(), account, 'submit', 'application', id::text, '{"before": "draft", "after": "submitted"}'
  FROM bench_draft WHERE n = :n;
INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at)
  SELECT gen_random_uuid(), 'receipt:' || currval('bench_number') || ':' || id || ':' || account, 'application_submitted',
    account, child, id, '{"code": "ABCD-EFGH", "number": 1, "who": "you"}', now() FROM bench_draft WHERE n = :n;
INSERT INTO done_once (key, account_id, body_digest, status, location, done_at)
  SELECT account || ':' || gen_random_uuid(), account, sha256(id::text::bytea), 303,
    '/parents/applications/' || id || '/receipts/1', now() FROM bench_draft WHERE n = :n;
COMMIT;
"""


REMEMBER = (
    "CREATE SEQUENCE IF NOT EXISTS bench_number START 1000",
    "DROP TABLE IF EXISTS bench_draft",
    "CREATE TABLE bench_draft AS SELECT row_number() OVER () AS n, a.id, a.child_id AS child,"
    " a.entered_by AS account, a.review_kindergarten_id AS kindergarten, v.answers, v.digest"
    " FROM application a JOIN application_version v ON v.application_id = a.id WHERE a.id = ANY(%s)",
    "ALTER TABLE bench_draft ADD PRIMARY KEY (n)",
    "ANALYZE bench_draft",
)
"""The statements of `remember_drafts`; one is given the ids of the applications."""


def remember_drafts(ground: Ground, families: list[Family]) -> None:
    """A table of the drafts with a sealed text of the usual length, for pgbench.  Call it before they become drafts."""
    with psycopg.connect(ground.url) as connection:
        for statement in REMEMBER:
            connection.execute(statement, [[family.application for family in families]] if "%s" in statement else None)


def own_rows(ground: Ground, drafts: int, seconds: float) -> tuple[float, int]:
    """Transactions a second in pgbench, and how many there were, that write exactly the rows of a submission."""
    script = ground.folder / "own_rows.sql"
    script.write_text(OWN_ROWS)
    command = [str(BINARIES / "pgbench"), "-n", "-M", "prepared", "-c", str(load.CONNECTIONS), "-j", "2"]
    command += ["-T", str(max(int(seconds), 1)), "-D", f"drafts={drafts}", "-f", str(script)]
    command += ["-h", str(ground.postgres.sockets), "-U", "postgres", "city"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    found = re.search(r"tps = ([\d.]+)", ran.stdout)
    number = re.search(r"transactions actually processed: (\d+)", ran.stdout)
    if found is None or number is None or "number of failed transactions: 0 " not in ran.stdout:
        raise RuntimeError(ran.stdout + ran.stderr)
    return float(found.group(1)), int(number.group(1))


def django(ground: Ground) -> Server:
    """The Django twin.  Django is installed beside the data, never among the portal's own packages."""
    place = ROOT / "var" / "bench-django"
    if not (place / "django").is_dir():
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(place), DJANGO], check=True)
    with psycopg.connect(ground.url) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS django_session (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL,"
            " expire_date timestamptz NOT NULL)"
        )
    return ground.serve("bench.twins.django_submit:app", PYTHONPATH=f"{place}:{ROOT}")


def django_submissions(server: Server, families: list[Family]) -> list[load.Request]:
    """Each family signs in to the twin; then its form with token, key and version."""
    made = []
    for family in families:
        status, answer = load.send(server.port, load.get(f"/sign-in/{family.account}"))
        cookie = re.search(rb"sessionid=(\w+)", answer)
        if status != 200 or cookie is None:
            raise RuntimeError(f"the twin did not sign in: see {server.log}")
        token = secrets.token_hex(16)
        body = family.browser.form(("version", "1"), ("agrees_to_central", "y"), ("true", "y"))
        body += f"&csrfmiddlewaretoken={token}"
        request = load.post(f"/parents/applications/{family.application}/check", body, "x")
        raw = request.raw.replace(b"session=x", b"sessionid=" + cookie.group(1) + b"; csrftoken=" + token.encode())
        made.append(load.Request(raw))
    return made
