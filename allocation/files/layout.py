"""The files of a market and of a result, and their columns."""

FORMAT = "market/1"
FORMAT_2 = "market/2"  # with salts, and a draw whose form is declared before
COLUMNS = {
    "programmes.csv": ("programme", "kindergarten", "level", "nature", "area", "places", "sibling_tier"),
    "pools.csv": ("programme", "pool", "precedence", "places", "groups", "unclaimed"),
    "children.csv": ("child", "family", "unit", "groups", "elder", "current"),
    "wishes.csv": ("child", "rank", "programme", "tier"),
    "tickets.csv": ("child", "ticket"),
    "salts.csv": ("child", "salt"),
}
RESULT_COLUMNS = {
    "placements.csv": ("child", "programme", "rank", "pool"),
    "cutoffs.csv": ("programme", "pool", "places", "filled", "state", "eligible", "tier", "ticket"),
    "reasons.csv": (
        "child", "rank", "programme", "pool", "reason", "tier", "ticket", "cutoff_tier", "cutoff_ticket",
    ),
}  # fmt: skip
MARKET_FILES = ("market.json", *COLUMNS)
OPTIONAL_FILES = ("pools.csv", "tickets.csv", "salts.csv")
RESULT_FILES = tuple(RESULT_COLUMNS)
