"""Public pages of a draw: the commitment, the seed, the cut-offs, the file for verification, and the places left free."""

import re
import uuid

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from enrollment.draw import draw_rooms, fairness
from enrollment.draw.run_rows import Run
from enrollment.draw.seed import declared_forms, part_standings
from enrollment.results import free_places, published_runs
from enrollment.season import small_cells
from portal.public import pages
from portal.text.area_names import area_names
from portal.text.numbers import whole_number
from portal.web.guards import public
from portal.web.page_data.kept_pages import kept
from portal.web.unit_of_work import clock, db

COUNTED = ("area", "kindergarten", "programme", "round", "run", "season_tally")
"""The tables of the list of free places, beside the catalogue."""

NOTED = ("application", "cut_off", "offer", "offer_move", "wish")
"""Its large tables.  Each move of an application or an offer adds to `season_tally` (ADR 40).  A family that only changes its list
adds nothing there: the number of waiting children is then that of the minute, which the page names.  Cut-offs are written with their run."""


@pages.app_template_filter("bold_numbers")
def bold_numbers(text: str) -> Markup:
    """The text with its numbers in bold, so that a family finds its own ticket and the cut-off quickly."""
    parts = re.split(r"(\d[\d\u202f]*)", text)
    marked = (
        Markup('<b class="num nowrap">{}</b>').format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )
    return Markup("").join(marked)


@pages.get("/draws")
@public
def draw_list() -> ResponseReturnValue:
    found = [draw_rooms.of_round(db(), row.id) for row in published_runs.rounds_with_a_public_draw(db())]
    return render_template("public/draws.html", found=found)


@pages.get("/vacancies")
@public
@kept(tables=COUNTED, noted=NOTED, searched=("area", "page"))
def vacancies() -> ResponseReturnValue:
    """The places that are free after the result, with the children who wait for them."""
    names, year = area_names(db()), free_places.newest_year(db())
    area = request.args.get("area", "")
    area = area if area in names else ""
    found = (
        free_places.listing(db(), year, area=area or None, page=request.args.get("page", 1, whole_number))
        if year is not None
        else None
    )
    return render_template(
        "public/vacancies.html", found=found, year=year, area=area, area_names=names, few=small_cells.FEWEST, at=clock()
    )


@pages.get("/draws/<uuid:round_id>")
@public
def draw_page(round_id: uuid.UUID) -> ResponseReturnValue:
    if published_runs.round_of_public_page(db(), round_id) is None:
        abort(404)
    room = draw_rooms.of_round(db(), round_id)
    run = published_runs.result_run(db(), round_id)
    declared = declared_forms.newest(db(), round_id)
    draw = room.draw
    return render_template(
        "public/draw.html",
        room=room,
        frozen=bool(room.snapshots),
        declared=declared_forms.parse(declared.form) if declared else None,
        form_of_draw=declared_forms.of_draw(draw) if draw and draw.draw_form else None,
        standings=part_standings.of_draw(db(), draw, now=clock()) if draw else (),
        late_corrections=declared_forms.after_public_beacon(room.snapshots),
        run=run,
        size=published_runs.file_size(db(), run) if run else 0,
        file_name=_file_name(run) if run else "",
        replays=[each for each in room.runs if each.replays and each.published_at],
        figures=fairness.public_figures(run.summary) if run and run.summary else None,
        lines=_lines(run),
        area_names=area_names(db()),
        verify=url_for("public.verify_draw", round_id=round_id),
    )


def _lines(run: Run | None) -> published_runs.CutOffPage | None:
    if run is None:
        return None
    page = request.args.get("page", 1, type=whole_number)
    words, area = request.args.get("name", "")[:40], request.args.get("area", "")[:12]
    return published_runs.lines(db(), run, words=words or None, area=area or None, page=page)


def _file_name(run: Run) -> str:
    return f"draw-{run.digest[:12] if run.digest else run.number}.zip"


@pages.get("/draws/<uuid:round_id>/public.zip")
@public
def public_file(round_id: uuid.UUID) -> ResponseReturnValue:
    """The public file of the round's result; `?run=` selects the file of a published replay."""
    run = published_runs.numbered_run(db(), round_id, request.args.get("run", type=whole_number))
    if run is None or not run.public_file:
        abort(404)
    return Response(
        run.public_file,
        mimetype="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{_file_name(run)}"',
            "Cache-Control": "public, max-age=3600",
        },
    )
