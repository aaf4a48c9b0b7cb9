"""Pure decisions: standard library and pydantic only; no clock, environment, log, random or I/O.

The caller passes `now` (aware, UTC). Everything here is a value or a function from values to values.
"""
