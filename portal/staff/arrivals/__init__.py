"""Pages of arrival: the list at the door, taps of tablets, what is to match, children who do not come, lists for print."""
