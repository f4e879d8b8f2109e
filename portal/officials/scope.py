"""The scope of officials: city officials and auditors see all areas, area officials their own."""

from flask import abort

from enrollment.ground.accounts import Role
from enrollment.places.areas import Area, all_areas
from portal.text.area_names import area_name
from portal.text.area_names import area_names as names_of_areas
from portal.web.unit_of_work import actor, db

__all__ = ["DECIDERS", "READERS", "area_name", "area_names", "my_area_or_404", "my_areas"]

READERS = (Role.AREA_OFFICIAL, Role.CITY_OFFICIAL, Role.AUDITOR)
DECIDERS = (Role.AREA_OFFICIAL, Role.CITY_OFFICIAL)


def my_areas() -> list[Area]:
    """The areas that the current official may see, in the official order."""
    everywhere = actor().is_any(Role.CITY_OFFICIAL, Role.AUDITOR)
    return [area for area in all_areas(db()) if everywhere or area.code in actor().areas]


def my_area_or_404(code: str) -> Area:
    """The area, if the current official may see it; else 404."""
    found = next((area for area in my_areas() if area.code == code), None)
    if found is None:
        abort(404)
    return found


def area_names() -> dict[str, str]:
    return names_of_areas(db())
