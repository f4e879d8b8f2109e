"""The tour of the demo: three stories of five minutes, each a row of pages in the order in which their person meets them.

The words of each story and step are in `portal/text/words/tour.toml`.  `make tour` takes the pictures and writes
`docs/tour.md` from the same stories.
"""

from dataclasses import dataclass
from string import Formatter

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground.accounts import Account
from enrollment.ground.phones import phone_index
from enrollment.places.kindergartens import Kindergarten
from enrollment.season.rounds import Round
from portal.demo import people

PICTURE_LANGUAGE = ("zh", "en")
"""The language in the name of a picture, by whether the reader reads English."""
REGISTRATION, REVIEW, RESULT, ARRIVAL = "registration", "review", "result", "arrival"
"""Steps of the season, to which the demo's clock moves."""


@dataclass(frozen=True)
class Step:
    """One page.  `login` is who reads it, empty for everybody; `season_step` is when it shows what the words say.

    Braces in `path` stand for what the demo city has: see `addresses`.
    """

    code: str
    path: str
    login: str = ""
    season_step: str = REGISTRATION


@dataclass(frozen=True)
class Story:
    """A story is read on a phone by families and at a desk by the others."""

    code: str
    steps: tuple[Step, ...]
    on_a_phone: bool = False


NEW, HANDED_IN = (person.login for person in people.FAMILIES)
CLERK, HEAD, CITY = "clerk1", "head1", "city1"

STORIES = (
    Story(
        "family",
        (
            Step("family_home", "/"),
            Step("family_check", "/check"),
            Step("family_finder", "/kindergartens"),
            Step("family_kindergarten", "/kindergartens/{kindergarten}"),
            Step("family_new", "/parents", NEW),
            Step("family_wishes", "/parents/applications/{application}/wishes", HANDED_IN),
            Step("family_result", "/parents/applications/{application}/result", HANDED_IN, RESULT),
            Step("family_verify", "/parents/applications/{application}/check-result", HANDED_IN, RESULT),
        ),
        on_a_phone=True,
    ),
    Story(
        "kindergarten",
        (
            Step("kindergarten_home", "/staff", CLERK, REVIEW),
            Step("kindergarten_queue", "/staff/queue", CLERK, REVIEW),
            Step("kindergarten_places", "/staff/places", HEAD, REVIEW),
            Step("kindergarten_roll", "/staff/roll", HEAD, REVIEW),
            Step("kindergarten_arrivals", "/staff/arrivals", CLERK, ARRIVAL),
        ),
    ),
    Story(
        "city",
        (
            Step("city_season", "/officials/{year}/season/river", CITY),
            Step("city_coverage", "/officials/{year}/coverage", CITY),
            Step("city_planning", "/officials/{year}/planning/measures", CITY),
            Step("city_laboratory", "/officials/{year}/laboratory", CITY),
            Step("city_draws", "/officials/{year}/draws", CITY, RESULT),
            Step("city_public_draw", "/draws/{round}", season_step=RESULT),
            Step("city_public_coverage", "/coverage", season_step=RESULT),
        ),
    ),
)


def addresses(session: Session) -> dict[str, str]:
    """What stands for the braces of the paths.  Something that the demo city does not have yet is left out."""
    handed_in = select(Application.id).join(Account, Account.id == Application.entered_by)
    found = {
        "kindergarten": session.scalar(select(Kindergarten.code).where(Kindergarten.name == people.HOME)),
        "application": session.scalar(handed_in.where(Account.phone_index == phone_index(HANDED_IN)).limit(1)),
        "round": session.scalar(select(Round.id).order_by(Round.opens_at).limit(1)),
        "year": session.scalar(select(Round.year).order_by(Round.opens_at).limit(1)),
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def path_of(step: Step, known: dict[str, str]) -> str | None:
    """The address of a step, none while the demo city does not have what it shows."""
    needed = {name for _, name, _, _ in Formatter().parse(step.path) if name}
    return step.path.format(**known) if needed <= known.keys() else None
