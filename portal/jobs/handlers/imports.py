"""Uploaded lists that nobody said the word for do not stay."""

from enrollment.places.imports import importer
from portal.jobs.runner import Work, handles


@handles("forget_import_files", queue="bulk")
def forget_import_files(work: Work) -> dict:
    with work.session() as session:
        return {"forgotten": importer.forget(session, now=work.now(session))}
