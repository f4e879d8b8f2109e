"""Names of admission areas in the reader's language."""

from sqlalchemy.orm import Session

from enrollment.places.areas import Area, all_areas
from portal.text.words import language


def area_name(area: Area) -> str:
    return area.name_en if language() == "en" else area.name


def area_name_of(session: Session, code: str | None) -> str | None:
    """The name of the area with this code; None without one."""
    return next((area_name(area) for area in all_areas(session) if area.code == code), None) if code else None


def area_names(session: Session) -> dict[str, str]:
    """Names by code, in the official order of the areas."""
    english = language() == "en"
    return {area.code: area.name_en if english else area.name for area in all_areas(session)}
