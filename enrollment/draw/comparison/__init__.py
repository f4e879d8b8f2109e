"""What a run is compared with: the same market with other tickets, and under the rules of the year before."""
