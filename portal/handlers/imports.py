"""Uploaded lists that nobody said the word for do not stay."""

from enrollment.places.imports import files
from portal.background import Work, handles


@handles("forget_import_files", queue="bulk")
def forget_import_files(work: Work) -> dict:
    with work.session() as session:
        return {"forgotten": files.forget(session, now=work.now(session))}
