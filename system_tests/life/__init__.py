"""Random programs that play the whole life of a subscription, and what they come to.

`model` says what each window has been charged, in plain Python; `generator` makes the
programs; `player` plays one on the model and on Odoo, compares, and shortens what
differs. Nothing here imports Odoo: `scripts/life_executor.py` does.
"""
