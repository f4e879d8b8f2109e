"""Offers after a run: confirm and decline, answer deadlines, arrivals, revocations, the waitlist.

May import `review` and everything below it.
"""
