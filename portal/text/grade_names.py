"""Names of grades in the reader's language."""

from sqlalchemy.orm import Session

from enrollment.places.grades import code_list
from enrollment.places.grades.rows import Grade
from portal.text.words import language


def grade_name(grade: Grade) -> str:
    return grade.name_en if language() == "en" else grade.name


def grade_names(session: Session) -> dict[str, str]:
    """Names by code, in the order of the list."""
    return {each.code: grade_name(each) for each in code_list.all_grades(session)}
