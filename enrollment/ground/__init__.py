"""What every wing stands on: database, vault, audit, jobs, notices, errors."""
