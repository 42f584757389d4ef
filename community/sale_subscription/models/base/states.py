"""The states of subscriptions, and the names of groups of them."""

SUBSCRIPTION_STATES = [
    ("1_draft", "Quotation"),
    ("2_renewal", "Renewal Quotation"),
    ("3_progress", "In Progress"),
    ("4_paused", "Paused"),
    ("5_renewed", "Renewed"),
    ("6_churn", "Closed"),
    ("7_upsell", "Upsell"),
]
# The names that modules of others import; a list, because some add to it.
SUBSCRIPTION_DRAFT_STATE = ["1_draft", "2_renewal"]
SUBSCRIPTION_PROGRESS_STATE = ["3_progress", "4_paused"]
SUBSCRIPTION_CLOSED_STATE = ["5_renewed", "6_churn"]
RUNNING_STATES = SUBSCRIPTION_PROGRESS_STATE
UPSELL = "7_upsell"
RENEWAL = "2_renewal"

# Of an order, as Odoo names them: what a customer has not accepted yet.
QUOTATION = ("draft", "sent")
