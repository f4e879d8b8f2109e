"""The policy laboratory's pages: the studies, one study with its figures, its downloads."""
