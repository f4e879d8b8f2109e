"""Random families with a draft, and what stands in their rows: a hot statement and its service must leave the same."""

import datetime as dt
import random
import uuid
from contextlib import contextmanager

from enrollment.applications.application_rows import Application
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.season.facts import Ground


def values(row, without=frozenset()) -> dict:
    columns = row.__table__.columns.keys()
    return {name: getattr(row, name) for name in columns if name not in without}


@contextmanager
def undone(session):
    """What the block does is taken back."""
    with session.begin_nested() as point:
        yield
        session.flush()
        point.rollback()
    session.expire_all()


def random_family(town, places, chance: random.Random) -> Application:
    """A draft with everything that a submission needs, and with much that it may have."""
    household: dict = {
        "hukou_kind": chance.choice(["local", "collective"]),
        "home_owned": chance.choice([None, True, False]),
    }
    if chance.random() < 0.4:
        household |= {"hukou_kind": "elsewhere", "hukou_area": None, "hukou_street": None}
        household["residence_permit_area"] = chance.choice([None, "510104"])
    if chance.random() < 0.2:
        household |= {"home_area": None, "home_street": None, "home_outside": True}
    if chance.random() < 0.3:
        household |= {"hukou_since": dt.date(2019, 5, chance.randint(1, 28)), "work_area": "510104"}
    grounds = {
        Ground.ELDER_SIBLING: chance.choice(places),
        Ground.STAFF_CHILD: chance.choice(places),
        Ground.SPECIAL_NEED: True,
    }
    claimed = {ground: detail for ground, detail in grounds.items() if chance.random() < 0.4}
    child = {"id_kind": "passport", "number": f"E{chance.randint(10**7, 10**8 - 1)}"} if chance.random() < 0.3 else {}
    wished = chance.sample(places, chance.randint(1, len(places)))
    found = town.child("安" * chance.randint(1, 3), wishes=wished, grounds=claimed, submit=False, **child, **household)
    if chance.random() < 0.4:
        town.second_guardian(found)
    if chance.random() < 0.4:
        pages(town, found, chance)
    if chance.random() < 0.2:
        found.elder_id = town.child("大安", submit=False).id
    town.session.flush()
    return found


def pages(town, application, chance: random.Random) -> None:
    for document in chance.sample(["hukou_booklet", "property_deed", "work_contract"], 2):
        for _page in range(chance.randint(1, 3)):
            town.session.add(
                EvidencePage(
                    application_id=application.id,
                    position=chance.randint(0, 2),
                    document=document,
                    media_type="image/webp",
                    size=1,
                    original_digest=uuid.UUID(int=chance.getrandbits(128), version=4).hex,
                    content=b"x",
                    uploaded_at=town.now + dt.timedelta(seconds=chance.randint(0, 9)),
                    removed_at=chance.choice([None, None, town.now]),
                )
            )
