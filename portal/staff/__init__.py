"""The pages of a kindergarten's staff.  Each module registers its views on `pages`.

May import `operations`, `jobs`, `letters`, `demo`, `web` and everything below them, not the other page packages.
"""

from flask import Blueprint

pages = Blueprint("staff", __name__, url_prefix="/staff")
