"""`flask …` commands; `portal/app.py` registers the `cli` of every module here.

May import every package of `portal`.
"""
