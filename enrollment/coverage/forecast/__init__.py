"""The children of the next three Septembers: from births and the children of past years, with intervals from past errors.

`method` projects, `backtest` repeats it from past years, `intervals` turns its errors into intervals and chances,
`outlook` puts the figures of the city and its areas together.
"""
