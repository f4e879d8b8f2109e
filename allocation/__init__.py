"""The allocation engine: values in, values out. It knows children only as numbers.

Start with :func:`allocation.solve.solve`; ``docs/engine.md`` tells the rule in words.
"""

VERSION = "1.0"
