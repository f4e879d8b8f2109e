"""Backups: one encrypted file with everything that the database holds, uploads and draws among it (ADR 29)."""
