"""The pages of community helpers, who enter an application with a family's consent.  Each module registers its views on `pages`.

May import `operations`, `jobs`, `letters`, `demo`, `web` and everything below them, not the other page packages.
"""

from flask import Blueprint

pages = Blueprint("helpers", __name__, url_prefix="/helpers")
