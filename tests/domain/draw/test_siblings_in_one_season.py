"""Brothers and sisters who apply in the same season: the elder is placed first, and a replay never parts them to their loss."""


def test_the_younger_follows_the_elder_and_neither_loses_by_a_replay(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    town.programme(jinpingguo, places=1, level="middle")
    mudan = town.kindergarten("牡丹", places=5)
    town.round(levels=["lower", "middle"])
    town.open_registration()
    family = town.family("陈")
    elder = town.child("陈大", family=family, level="middle", wishes=[jinpingguo])
    younger = town.child("陈小", family=family, wishes=[jinpingguo, mudan])
    town.follow_elder(younger, elder)
    lucky = town.child("安娜", wishes=[jinpingguo, mudan])
    rival = town.child("本本", level="middle", wishes=[jinpingguo])
    run = town.drawn(lucky, elder, rival)
    assert town.place_of(elder) == town.place_of(younger) == jinpingguo
    assert town.place_of(lucky) == mudan, "the younger stood before her, with the elder's tier"
    assert run.summary["siblings"] == {"named": 1, "together": 1}

    # The elder gives up and the rival comes; the younger keeps the place, although nobody lifts it any more.
    town.confirm(younger)
    town.confirm(lucky, wait=True)
    town.decline(elder)
    town.replay()
    assert town.place_of(rival) == jinpingguo
    assert town.place_of(younger) == jinpingguo
    assert town.place_of(lucky) == mudan
