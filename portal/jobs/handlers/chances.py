"""Every morning of registration: what the draw would give the families who have applied so far, drawn many times."""

from enrollment.chances import estimate_market, estimates
from portal.jobs.runner import Work, handles


@handles("estimate_chances", queue="bulk")
def estimate_chances(work: Work) -> dict:
    """Gather, let the engine draw outside any transaction, keep.  A second run keeps the same again."""
    with work.session() as session:
        rounds = estimates.due_rounds(session, now=work.now(session))
    told = []
    for round_id in rounds:
        with work.session() as session:
            made = estimate_market.read(session, round_id, now=work.now(session))
        if made is None:
            continue
        drawn = estimates.simulate(made.market, progress=work.progress)
        with work.session() as session:
            told.append(estimates.save(session, made, drawn))
    return {"estimates": [one for one in told if one is not None]}
