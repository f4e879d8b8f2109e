"""One obvious town, told as a story.  Every sentence calls the real verb of the domain."""

import datetime as dt

from sqlalchemy.orm import Session

from tests.support.town_draw import Draw
from tests.support.town_families import Families
from tests.support.town_helping import Helping
from tests.support.town_places import Places
from tests.support.town_review import Review
from tests.support.town_season import Season


class Town(Places, Season, Families, Helping, Review, Draw):
    """`session` is flushed, never committed, by the sentences; `now` is the town's clock, moved by `at`."""

    def __init__(self, session: Session, now: dt.datetime):
        self.session = session
        self.now = now

    def at(self, moment: dt.datetime) -> "Town":
        """Move the town's clock; it never goes back."""
        assert moment >= self.now, "a town's clock does not go back"
        self.now = moment
        return self
