"""Pages with which a kindergarten reaches its families: open days, messages to a selection."""
