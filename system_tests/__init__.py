"""Tests with several Odoo processes, run by `./fcb test`: provisioning/systemrun.py.

What they check needs commits: processes that race, a process that is killed, a module
that is updated, removed and installed again.
"""
