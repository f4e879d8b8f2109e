"""Bound children 捆绑: the rule of each event (`bond_rules`), the preview of a binding (`bond_plan`), and messages about
members that are not handed in yet (`bond_notices`)."""
