"""How a seed is made: its declared form, the sessions of witnesses, what they enter, and the seed itself.

Two witnesses enter each part of the seed separately.  An official requests a session for a named witness and gets its
link; another official approves it and gets its code.  A witness needs both, so no official alone can enter a value.
Officials enter nothing: when two entries of a part are equal, one act sets the seed from them.
"""
