"""Whether windows follow each other, and are cut where a day begins."""

from collections import defaultdict
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


class WindowCheck:
    """Holds windows against the calendar, and against their order.

    :param report: where differences go
    :param zones: rows of ZONES
    """

    def __init__(self, report, zones):
        self.differ, self.zones = report.differ, defaultdict(set)
        for company, zone in zones:
            self.zones[company].add(ZoneInfo(zone))

    def check_chains(self, chains):
        """Windows of a subscription and its renewals follow each other.

        :param chains: rows of CHAINS
        """
        root, end = None, None
        for name, of_root, start, until in chains:
            if of_root == root and start != end:
                how = "overlap" if start < end else "leave a gap"
                self.differ(f"{name}: windows {how} between {end} and {start}")
            root, end = of_root, max(until, end) if of_root == root else until

    def check_windows(self, order):
        """Whether windows are cut at midnight, and one ends at the next invoice."""
        for window in order.windows:
            zones, day = self.zones[window.company], window.end_day
            if window.end not in {order.midnight(day, zone) for zone in zones}:
                self.differ(
                    f"{order.name}: the window from {window.start} ends at"
                    f" {window.end}, not at the beginning of {day}"
                )
            apart = window.start - datetime.combine(window.first_day, time.min)
            if abs(apart) > timedelta(hours=15):
                self.differ(
                    f"{order.name}: the window from {window.first_day} begins at"
                    f" {window.start}"
                )
        day, end_day = order.row["next_invoice_date"], order.row["end_date"]
        ends = {window.end_day for window in order.windows}
        last = max((w.end_day for w in order.windows if w.is_settled), default=None)
        is_named = order.runs and order.row["start_date"] and day and not order.waits
        first = min((window.first_day for window in order.windows), default=None)
        is_passed = day and any(
            (end_day and end_day < day, last and last >= day, first and first >= day)
        )
        if is_named and ends and day not in ends and not is_passed:
            self.differ(
                f"{order.name}: no window ends on {day}, the next invoice's day"
            )
