"""A portal that runs with families whose form is filled in, and a session of each: `python bench/served_city.py FOLDER FAMILIES`.

`bench.deploys` runs this file with the modules of the version that PYTHONPATH names, which may be an earlier one: it builds on
nothing but `bench.rehearsal.City`.  It prints one line of JSON and ends the portal at the end of its input.
"""

import json
import random
import secrets
import sys
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench.rehearsal import City
from enrollment.ground.sign_in import WebSession
from portal.web.clock import real_now
from portal.web.sessions import digest_of

ACCOUNTS = """
    SELECT a.id::text, g.account_id FROM application a JOIN guardianship s ON s.child_id = a.child_id JOIN guardian g ON g.id = s.guardian_id
"""


def sign_in(engine: Engine) -> dict[str, str]:
    """A session for the family of each application, as the sign-in with a code makes it."""
    keys = {}
    with Session(engine) as session, session.begin():
        for application, account in session.execute(text(ACCOUNTS)).all():
            keys[application] = secrets.token_urlsafe(32)
            moment = real_now()
            session.add(WebSession(
                digest=digest_of(keys[application]), account_id=account, data={"_user_id": str(account), "_fresh": True},
                created_at=moment, seen_at=moment, expires_at=moment.replace(year=moment.year + 1),
            ))  # fmt: skip
    return keys


def main(folder: Path, families: int) -> None:
    random.seed(1)
    city = City(folder, families, 0, {})
    try:
        found = {"pid": city.portal.process.pid, "port": city.portal.port, "sessions": sign_in(city.engine)}
        print(json.dumps(found), flush=True)
        sys.stdin.read()
    finally:
        city.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
