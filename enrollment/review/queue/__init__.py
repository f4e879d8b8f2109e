"""The queue of the review: groups, filters, search, workload, and the confirmation of many applications in one act."""
