"""Hot acts of families as one read and one write each.

A read is one row with all that the act depends on; a write is one statement that changes the application and adds every
row that belongs to the act, or nothing at all.  The object-wise services (`submission`, `edits`, `wishes`) say what an act
means; these modules do the same for its plain case and give None for any other, which the caller then hands to the service.
A test compares the rows that both leave.
"""
