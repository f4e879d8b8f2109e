"""High-quality kindergartens: their count, the code list of grades, the grades of a kindergarten, and readiness."""
