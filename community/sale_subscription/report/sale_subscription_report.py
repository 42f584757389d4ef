"""MRR and churn per month, from the MRR log."""

from odoo import api, fields, models
from odoo.tools import SQL

# Where each event of the MRR log counts.
COUNTED_AS = {
    "new": "new",
    "expansion": "expansion",
    "contraction": "contraction",
    "churn": "churn",
    "reopen": "reopen",
    "pause": "pause",
    "resume": "pause",
    "transfer_out": "transfer",
    "transfer_in": "transfer",
}

# What stands at the beginning or at the end of a month: the SQL aggregate that picks
# the month to take it from, where several months are shown as one.
STOCKS = {
    "opening_mrr": "MIN",
    "opening_count": "MIN",
    "closing_mrr": "MAX",
    "closing_count": "MAX",
}

# What ended, and what it is divided by. Rates per month are divided by what was open
# at the beginning of each month, all months together.
RATES = {
    "mrr_churn_rate": ("-churn_mrr", "opening_mrr"),
    "subscription_churn_rate": ("churned_count", "opening_count"),
}
MONTHLY_RATES = {
    "mrr_churn_rate_monthly": ("-churn_mrr", "opening_mrr"),
    "subscription_churn_rate_monthly": ("churned_count", "opening_count"),
}

AS_OF_FIRST = " Over several months: of the first one."
AS_OF_LAST = " Over several months: of the last one."
