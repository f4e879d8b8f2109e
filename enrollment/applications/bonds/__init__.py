"""Bound children 捆绑: the rule of each event (`bond_rules`), what binding would do (`bond_plan`), and who is told that one is
missing (`bond_notices`)."""
