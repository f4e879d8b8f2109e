"""Eligibility: what a family claims, the evidence for it, and the tier that the policy gives for each wish.

May import `applications` and everything below it.
"""
