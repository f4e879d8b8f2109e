"""What every package needs: database, accounts, encryption, audit trail, jobs, outbox, errors.

May import no other package of `enrollment`.
"""
