"""The draw of a round: market, snapshot, seed, runs, publication, replay, central placement.

May import `offers` and everything below it, and the engine `allocation`.
"""
