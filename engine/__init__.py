"""The rules of billing on plain values: no Odoo, no database, no clock of its own.

Standard library only. What varies (time, randomness, name resolution) is passed
in, so that every rule can be tested with values computed by hand. Only
:mod:`~.transport` talks to the network.

The tests need neither Odoo nor a database; from the repository root::

    python3 -m unittest discover -s engine/tests -t .
"""
