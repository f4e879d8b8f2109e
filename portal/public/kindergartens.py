"""Search for kindergartens, on a list or on a map, with what a reader keeps and compares."""

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from enrollment.places import finder
from enrollment.season import openings, seasons
from portal.public import pages
from portal.text.area_names import area_names
from portal.text.grade_names import grade_names
from portal.text.numbers import whole_number
from portal.web.admission_year import links_to_visible_years, shown_season
from portal.web.guards import public
from portal.web.page_data.kept_pages import kept
from portal.web.safe_redirect import local_path
from portal.web.shared_views.finder import cards, question, tiles
from portal.web.shared_views.finder.kept_cards import CardList
from portal.web.unit_of_work import clock, db


def years_with_places() -> list[int]:
    """The years of a kindergarten's page: those under way or coming, and the one that was asked for; the newest first."""
    season = shown_season()
    if season is None:
        return []
    going_on = [each.year for each in seasons.announced(db()) if not seasons.is_past(each, clock())]
    return sorted({*going_on, season.year}, reverse=True)


def _year() -> int | None:
    season = shown_season()
    return season.year if season else None


@pages.get("/kindergartens")
@public
@kept(queries=("area", "level"), searched=("q", "nature", "grade", "sort", "view", "page"))
def kindergarten_list() -> ResponseReturnValue:
    asked, year = question.read(), _year()
    years = links_to_visible_years()
    last = cards.last_year(year)
    place: dict[str, object] = {"year": year} if years and year else {}
    if asked.place:
        place["from"] = asked.place
    return render_template(
        "public/kindergartens.html",
        asked=asked,
        found=cards.found_by(asked, year, last),
        cards=CardList(asked, last, year, place),
        areas=area_names(db()),
        grades=grade_names(db()),
        year=year,
        years=years,
        takes_wishes=bool(openings.open_rounds(db(), now=clock())),
        tiles=tiles.template(),
    )


@pages.get("/kindergartens/pins")
@public
def kindergarten_pins() -> ResponseReturnValue:
    """The points of the list for the map."""
    asked, year = question.read(), _year()
    pins = cards.pins_of(asked, year, cards.last_year(year))
    return jsonify(cards.points_of([each.kindergarten for each in pins], asked.question.start))


@pages.get("/kindergartens/card")
@public
def kindergarten_card() -> ResponseReturnValue:
    """The card of the kindergarten with this number in the list, for a pin of the map."""
    asked, year = question.read(path=url_for("public.kindergarten_list")), _year()
    last = cards.last_year(year)
    number = request.args.get("number", 1, whole_number)
    hit = next((each for each in cards.pins_of(asked, year, last) if each.number == number), None)
    return render_template("public/kindergarten_pin.html", asked=asked, hit=hit, cards=CardList(asked, last, year))


@pages.get("/kindergartens/kept")
@public
def keep_kindergarten() -> ResponseReturnValue:
    """Keep a kindergarten in this browser, or forget it again."""
    answer = redirect(local_path(request.args.get("to")) or "/kindergartens", 303)
    question.keep(answer, question.with_kept(request.args.get("code", ""), request.args.get("act") != "forget"))
    return answer


@pages.get("/kindergartens/compare")
@public
def compare_kindergartens() -> ResponseReturnValue:
    """Up to four kindergartens beside each other."""
    asked, year = question.read(), _year()
    hits = finder.of_codes(db(), list(asked.compared), year=year, start=asked.question.start)
    return render_template(
        "public/kindergartens_compared.html", asked=asked, hits=hits, last=cards.last_year(year), year=year
    )
