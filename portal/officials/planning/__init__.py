"""Pages of the planner: the library of measures, plans, and one plan with what it does, costs and cannot do."""
