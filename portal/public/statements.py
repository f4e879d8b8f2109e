"""The help page, and the statements on personal information and accessibility that the law requires."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.places.areas import all_areas
from portal.public import pages
from portal.web.guards import public
from portal.web.page_data.kept_pages import kept
from portal.web.unit_of_work import db


@pages.get("/help")
@public
@kept()
def help_page() -> ResponseReturnValue:
    return render_template("public/help.html", areas=all_areas(db()))


@pages.get("/privacy")
@public
@kept()
def privacy() -> ResponseReturnValue:
    return render_template("public/privacy.html")


@pages.get("/accessibility")
@public
@kept()
def accessibility() -> ResponseReturnValue:
    return render_template("public/accessibility.html")
