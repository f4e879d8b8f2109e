"""The people of a season, each with a browser of their own.  They go only where a page's own words lead them."""
