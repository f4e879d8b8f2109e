"""The two shares at the officials' desk: the city at a glance, each area down to its kindergartens, the forecast."""
