"""The helpers' pages: whom they help.  The form itself is the families' own.  Every module registers its views on `pages`."""

from flask import Blueprint

pages = Blueprint("helpers", __name__, url_prefix="/helpers")
