"""Words and formats of both languages: codes, dates, facts, rules, translations.

May import `config` only.
"""
