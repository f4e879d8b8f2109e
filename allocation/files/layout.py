"""The files of a market and of a result, and their columns."""

FORMAT = "market/1"
COLUMNS = {
    "programmes.csv": ("programme", "kindergarten", "level", "nature", "area", "places", "sibling_tier"),
    "pools.csv": ("programme", "pool", "precedence", "places", "groups", "unclaimed"),
    "children.csv": ("child", "family", "unit", "groups", "elder", "current"),
    "wishes.csv": ("child", "rank", "programme", "tier"),
    "tickets.csv": ("child", "ticket"),
}
RESULT_COLUMNS = {
    "placements.csv": ("child", "programme", "rank", "pool"),
    "cutoffs.csv": ("programme", "pool", "places", "filled", "state", "eligible", "tier", "ticket"),
    "reasons.csv": (
        "child", "rank", "programme", "pool", "reason", "tier", "ticket", "cutoff_tier", "cutoff_ticket",
    ),
}  # fmt: skip
MARKET_FILES = ("market.json", *COLUMNS)
OPTIONAL_FILES = ("pools.csv", "tickets.csv")
RESULT_FILES = tuple(RESULT_COLUMNS)
