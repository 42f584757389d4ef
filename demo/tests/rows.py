"""Rows as `usage.csv` has them, for tests."""

PLAIN = {
    "app": "nexacloud",
    "customer": "nexacloud-a",
    "subscription": "nexacloud-a-subscription",
    "metric": "compute_hours",
    "day": "3",
    "time": "10:00:00",
    "minutes": "60",
    "quantity": "2.5",
    "unique_key": "",
    "idempotency_key": "k1",
    "note": "",
}


def row(**changes):
    return PLAIN | changes
