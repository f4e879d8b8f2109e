"""Review by kindergarten staff: queue, verified facts, returned items, refusals, bulk confirmation, cases.

May import `eligibility` and everything below it.
"""
