"""A family may answer again until the answer is due, and each answer is told."""

from enrollment.ground.outbox import Notice


def test_an_answer_that_is_given_again_is_told_again(town):
    first, second = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    ana = town.child("安娜", wishes=[first])
    ben = town.child("本本", wishes=[first, second])
    town.drawn(ana, ben)
    town.confirm(ben)
    town.confirm(ben, wait=True)
    town.confirm(ben)
    told = town.session.query(Notice.kind).filter(Notice.application_id == ben.id, Notice.kind.like("answer_%"))
    assert sorted(kind for (kind,) in told) == ["answer_confirm", "answer_confirm", "answer_confirm_and_wait"]
