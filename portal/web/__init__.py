"""What all pages share: unit of work, sessions, guards, forms, CSRF, rate limits, errors, headers.

May import `gateways`, `text`, `maps` and `config`.
"""
