"""Pages of community helpers; they fill in the form on the parents' pages.  Every module registers its views on `pages`."""

from flask import Blueprint

pages = Blueprint("helpers", __name__, url_prefix="/helpers")
