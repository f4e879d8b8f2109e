"""Plans of measures over years: places to build, to turn and to close, so that the two shares are kept for the least money."""
