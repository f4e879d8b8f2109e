"""Snapshot, seed, runs and offers."""
