"""The draw room's pages: the draws of a year, one room, its runs, the daily replays."""
