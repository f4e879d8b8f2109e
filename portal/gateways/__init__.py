"""Clients of other systems (messages, registers); `stand_ins/` plays these systems in the demo and in tests.

May import `text` and `config`.
"""
