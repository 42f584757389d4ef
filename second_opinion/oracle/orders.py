"""What a subscription says of the time that is to come."""

from bisect import bisect_right
from datetime import datetime, time, timezone
from zoneinfo import ZoneInfo

FOREVER = datetime.max


class Order:
    """What a subscription says of the time that is to come, and its charges of prices.

    :param windows: its windows, in order of time
    """

    def __init__(self, row, charges, windows):
        self.row, self.id, self.name = row, row["id"], row["name"]
        self.waits, self.windows = row["waits"], windows
        self.zone = ZoneInfo(row["zone"])
        self.starts = [window.start for window in windows]
        self.charges = [
            c for c in charges if c["active"] and c["company"] == row["company_id"]
        ]
        self.runs = row["state"] == "sale" and row["subscription_state"] == "3_progress"

    def midnight(self, day, zone=None):
        local = datetime.combine(day, time.min, zone or self.zone)
        return local.astimezone(timezone.utc).replace(tzinfo=None)

    def window_at(self, moment):
        """The window that a moment lies in, or None."""
        at = bisect_right(self.starts, moment) - 1
        window = self.windows[at] if at >= 0 else None
        return window if window and moment < window.end else None

    def of_plan(self, plan):
        """The charges of a plan; one that has none left counts as the order's own."""
        return [c for c in self.charges if c["plan"] == plan] or [
            c for c in self.charges if c["plan"] == self.row["plan_id"]
        ]

    def prices(self, window, metric):
        """Whether the charges price a metric in a window that is not settled."""
        day = window.first_day
        return any(
            c["metric"] == metric
            and (not c["first"] or c["first"] <= day)
            and (not c["last"] or day <= c["last"])
            for c in self.of_plan(window.plan)
        )

    def will_bill(self, metric, moment):
        """Whether usage is of a window that is to come."""
        row = self.row
        first = row["last_invoice_date"] or row["start_date"]
        if not (self.runs and row["start_date"] and row["next_invoice_date"]):
            return False
        start = self.windows[-1].end if self.windows else self.midnight(first)
        end = self.midnight(row["end_date"]) if row["end_date"] else FOREVER
        return start <= moment < end and any(
            c["metric"] == metric
            and (not c["last"] or row["next_invoice_date"] <= c["last"])
            for c in self.charges
            if c["plan"] == row["plan_id"]
        )


def is_billing(order, window, metric, moment, agreements):
    """Whether a window bills a metric; ``window`` None: one that is to come.

    A settled one by what was agreed, another one by what the charges say.
    """
    if window is None:
        return order.will_bill(metric, moment)
    if window.kind != "billing":
        return False
    if window.is_settled:
        agreement = agreements.get((window.id, metric))
        return bool(agreement and agreement.terms)
    return order.prices(window, metric)
