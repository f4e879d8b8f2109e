"""A small town for tests.  Every method calls the service functions of the domain."""

import datetime as dt

from sqlalchemy.orm import Session

from tests.support.town_corrections import Corrections
from tests.support.town_draw import Draw
from tests.support.town_families import Families
from tests.support.town_helping import Helping
from tests.support.town_places import Places
from tests.support.town_review import Review
from tests.support.town_season import Season


class Town(Places, Season, Families, Helping, Review, Draw, Corrections):
    """The methods flush `session` and never commit; `now` is the time of the town, moved by `at`."""

    def __init__(self, session: Session, now: dt.datetime):
        self.session = session
        self.now = now

    def at(self, moment: dt.datetime) -> "Town":
        """Move the time of the town forward."""
        assert moment >= self.now, "a town's clock does not go back"
        self.now = moment
        return self
