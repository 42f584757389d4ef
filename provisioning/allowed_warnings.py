"""Warnings that a green test run may hold. Every entry needs a reason.

Each entry is (logger, pattern, reason): the pattern must match the message from its
start. An ERROR is never allowed. Tests that provoke a warning catch it themselves with
`assertLogs` or `mute_logger`; it does not belong here.
"""

ALLOWED = ()
