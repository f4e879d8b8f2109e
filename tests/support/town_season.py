"""The part of the test town for the season."""

import datetime as dt
from zoneinfo import ZoneInfo

from enrollment.draw import round_opening
from enrollment.ground.accounts import Actor
from enrollment.season import calendar, policy_approval, policy_file, rounds, season_lifecycle
from enrollment.season.policy_rows import Policy
from enrollment.season.rounds import Round

YEAR = 2026
CHENGDU = ZoneInfo("Asia/Shanghai")


def at(month: int, day: int, hour: int = 9, *, year: int = YEAR) -> dt.datetime:
    return dt.datetime(year, month, day, hour, tzinfo=CHENGDU)


def dates_of(year: int = YEAR) -> dict[str, calendar.Span]:
    """The calendar of a typical season."""

    def span(begins: tuple[int, ...], ends: tuple[int, ...]) -> calendar.Span:
        return at(*begins, year=year), at(*ends, year=year)

    return {
        "announcement": span((5, 6), (5, 15, 18)),
        "registration": span((5, 21), (5, 29, 18)),
        "review": span((5, 29, 18), (6, 3, 18)),
        "draw": span((6, 4), (6, 4, 18)),
        "result": span((6, 5), (6, 12, 18)),
        "confirmation": span((6, 5), (6, 9, 18)),
        "supplementary": span((6, 15), (6, 19, 18)),
        "arrival": span((8, 20), (8, 31, 18)),
    }


class Season:
    """Season, signed policies and round are created at their first use."""

    the_season: calendar.Season | None = None
    the_round: Round | None = None
    _city_pair: tuple[Actor, Actor] | None = None

    def city_pair(self) -> tuple[Actor, Actor]:
        """The two city officials who sign; always the same two."""
        if self._city_pair is None:
            self._city_pair = (self.city_official(), self.city_official())
        return self._city_pair

    def season(self, year: int = YEAR, **dates: calendar.Span) -> calendar.Season:
        """The year, announced by the two."""
        if self.the_season is None or self.the_season.year != year:
            existing = self.session.get(calendar.Season, year)
            if existing is not None:  # two years may run at once
                self.the_season = existing
                return existing
            self.prepared_season(year, **dates)
            self.announce(year)
        return self.the_season

    def prepared_season(self, year: int = YEAR, **dates: calendar.Span) -> calendar.Season:
        """A year that only officials see."""
        by, moment = self.city_pair()[0], min(self.now, at(4, 1, year=year))
        self.the_season = calendar.create_season(
            self.session,
            year,
            dates_of(year) | dates,
            by=by,
            now=moment,
            hotline="028-12345",
            simulated=True,
            accept_warnings=True,
        )
        return self.the_season

    def announce(self, year: int = YEAR) -> calendar.Season:
        found = self.session.get_one(calendar.Season, year)
        for official in self.city_pair():
            season_lifecycle.announce(
                self.session,
                year,
                digest=season_lifecycle.digest_of(found),
                accept_warnings=True,
                by=official,
                now=min(self.now, at(4, 1, year=year)),
            )
        return found

    def policy(
        self,
        area: str = "510104",
        text: str | None = None,
        *,
        family: str = "whole_district",
        year: int = YEAR,
        signed: bool = True,
    ) -> Policy:
        """A policy of the area, tried without families and signed by two unless the test says otherwise."""
        self.area(area)
        self.season(year)
        first, second = self.city_pair()
        text = (
            policy_approval.template(family, area, year)
            if text is None
            else policy_file.adapt_to_area(text, area, year)
        )
        made = policy_approval.upload(self.session, text, area=area, year=year, by=first, now=self.now)
        if signed:
            policy_approval.dry_run(self.session, made.id, [], by=first, now=self.now)
            policy_approval.sign(self.session, made.id, by=first, now=self.now)
            policy_approval.sign(self.session, made.id, by=second, now=self.now)
        return made

    def round(self, max_wishes: int = 5, *, kind: str = "main", name: str | None = None, **more) -> Round:
        """Plan a round: the main one on the season's days, a supplementary one on the days after it."""
        season = self.season(self.the_season.year if self.the_season else YEAR)
        dates = calendar.spans(season)
        step = "supplementary" if kind == "supplementary" else "registration"
        begins_at, ends_at = dates[step]
        confirm_by = dates["arrival"][0] if step == "supplementary" else dates["confirmation"][1]
        plan = {"opens_at": begins_at, "closes_at": ends_at, "confirm_by": confirm_by} | more
        self.the_round = rounds.plan(
            self.session,
            season.year,
            name=name or self._free_name("补录" if kind == "supplementary" else "主批次", season.year),
            kind=kind,
            max_wishes=max_wishes,
            by=self.city_pair()[0],
            now=self.now,
            **plan,
        )
        return self.the_round

    def _free_name(self, name: str, year: int) -> str:
        """The name, or with a number behind it from the second round of that name on."""
        others = sum(each.name.startswith(name) for each in rounds.rounds_of_year(self.session, year))
        return f"{name} {others + 1}" if others else name

    def open_registration(self, max_wishes: int = 5, **more) -> Round:
        """Open the planned round; sign a policy for every area that takes part and has none."""
        if self.the_round is None or self.the_round.stage != "planned":
            self.round(max_wishes, **more)
        found = self.the_round
        signed = policy_approval.policies_in_force(self.session, found.year)
        taking_part = {
            row.area for row in round_opening.offered(self.session, found.year) if rounds.matches_filter(found, row)
        }
        for area in sorted(taking_part - signed.keys()):
            self.policy(area, text=_with_pair_rule(found.pair_rule), year=found.year)
        round_opening.open_round(self.session, found.id, by=self.city_pair()[0], now=self.now)
        self.now = max(self.now, found.opens_at)
        return found

    def close_registration(self) -> Round:
        """Let the deadline pass and close the round."""
        found = self.the_round
        self.now = max(self.now, found.closes_at)
        return rounds.close(self.session, found.id, by=self.city_pair()[0], now=self.now)


def _with_pair_rule(rule: str) -> str:
    text = policy_approval.template("whole_district", "510104", YEAR)
    return text.replace('rule = "overhang"', f'rule = "{rule}"')
