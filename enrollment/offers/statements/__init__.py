"""The commonest answer to an offer as one write, like the acts of `enrollment.applications.statements`."""
