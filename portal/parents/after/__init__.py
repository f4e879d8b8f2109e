"""The pages of the days after the draw: what comes next, dates for the calendar, appeals and transfers."""
