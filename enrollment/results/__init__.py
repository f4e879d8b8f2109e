"""What a family and the public read after a run: result, reasons, cut-offs, admission notice, public file.

May import `draw` and everything below it, not `chances`.
"""
