"""The people of a season, each with their own browser.  They navigate by the visible links and buttons only."""
