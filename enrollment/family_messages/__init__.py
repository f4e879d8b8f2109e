"""Messages of a kindergarten to a selection of its families: texts, who is chosen, preview and sending."""
