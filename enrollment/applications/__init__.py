"""Applications: rows, lifecycle, deadlines, edits, wishes, bound children, submission, receipts.

May import `people` and everything below it.
"""
