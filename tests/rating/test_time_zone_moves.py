from odoo.tests import tagged

from .life import LifeCase

EAST = "Asia/Tokyo"  # midnight is at 15:00 UTC of the day before
WEST = "America/Toronto"  # midnight is at 05:00 UTC in winter


class ZoneCase(LifeCase):
    """The billing time zone is changed beside windows that were settled in another.

    A window that was settled keeps its instants; the next one begins where it ended.
    """

    def _move_to(self, tz, moment="2026-02-02 09:00:00"):
        self.at(moment)
        self.company.fc_billing_tz = tz

    def _use_until_the_last_hours(self):
        """400 calls of January, half of them when it was February in Tokyo already."""
        self.at("2026-01-31 22:00:00")
        self.use(200, "2026-01-10")
        self.use(200, "2026-01-31T20:00:00")

    def _days(self, *days):
        for day in days:
            self.day(f"{day} 10:00:00")


@tagged("post_install", "-at_install")
class TestZoneMovesBesideADraft(ZoneCase):
    """The invoice of 1 February, with January's usage, waits as a draft."""

    def _leave_a_draft(self, quantity=200):
        self.order = self.subscribe()
        self.plan.invoice_posting = "draft"
        if quantity == 400:
            self._use_until_the_last_hours()
        else:
            self.at("2026-01-10 12:00:00")
            self.use(quantity, "2026-01-10")
        self._days("2026-02-01")

    def _post_the_draft(self):
        self._days("2026-02-02")
        self.at("2026-02-03 09:00:00")
        self.post_drafts()
        self._days("2026-02-03")
        self.month("2026-03-01 09:00:00")

    def test_east(self):
        """January ended at the same instant as before: nothing of it is taken back."""
        self._leave_a_draft(400)
        self._move_to(EAST)
        self._post_the_draft()
        self.month("2026-04-01 09:00:00")
        self.assertEqual(self.net(), 150.0)  # 300 x 0.50

    def test_east_and_back(self):
        self._leave_a_draft(400)
        self._move_to(EAST)
        self.rate()
        self._move_to(WEST, "2026-02-02 09:30:00")
        self.rate()
        self._move_to("UTC", "2026-02-02 09:45:00")
        self._post_the_draft()
        self.assertEqual(self.net(), 150.0)

    def test_west_with_a_price_edited_then_a_late_call(self):
        self._leave_a_draft()
        self.charge.price_per_unit = 1.0
        self._move_to(WEST)
        self.use(1, "2026-01-15")
        self._post_the_draft()
        self.assertEqual(self.net(), 50.5)  # 101 x 0.50

    def _make_the_draft_again(self, tz):
        """With a minimum of 30.00: January 50.00, February nothing but that."""
        self.charge.minimum_amount = 30.0
        self._leave_a_draft()
        self._move_to(tz)
        self.documents("draft").unlink()
        self._post_the_draft()

    def test_west_with_a_minimum_and_the_draft_made_again(self):
        """The hours between two midnights are no window, which cost a minimum."""
        self._make_the_draft_again(WEST)
        self.assertEqual(self.net(), 80.0)  # 50.00 + 30.00

    def test_east_with_a_minimum_and_the_draft_made_again(self):
        self._make_the_draft_again(EAST)
        self.assertEqual(self.net(), 80.0)  # 50.00 + 30.00


@tagged("post_install", "-at_install")
class TestZoneMovesAfterTheEnd(ZoneCase):
    """The subscription ended with January, and was billed on 1 February."""

    def _end(self, quantity):
        self.order = self.subscribe(end_date="2026-02-01")
        if quantity == 400:
            self._use_until_the_last_hours()
        else:
            self.at("2026-01-10 12:00:00")
            self.use(quantity, "2026-01-10")
        self._days("2026-02-01")

    def _call_late(self):
        self.use(1, "2026-01-15")
        self._days("2026-02-02", "2026-02-03")

    def test_east_then_a_late_call(self):
        """The last hours of its January were taken back with the call."""
        self._end(400)
        self.assertEqual(self.net(), 150.0)  # 300 x 0.50
        self._move_to(EAST)
        self._call_late()
        self.assertEqual(self.net(), 150.5)  # 301 x 0.50

    def test_west_with_a_price_edited_then_a_late_call(self):
        """The window of other instants was one without a price of its own."""
        self._end(200)
        self.assertEqual(self.net(), 50.0)  # 100 x 0.50
        self.charge.price_per_unit = 1.0
        self._move_to(WEST)
        self._call_late()
        self.assertEqual(self.net(), 50.5)  # 101 x 0.50

    def test_west_with_a_minimum_then_a_late_call(self):
        """The call is all that is told: no bill of the whole and a credit note."""
        self.charge.minimum_amount = 30.0
        self._end(160)
        self.assertEqual(self.usage_documents(), [("out_invoice", 30.0)])  # 60 x 0.50
        self._move_to(WEST)
        self._call_late()
        self.assertEqual(
            self.usage_documents(), [("out_invoice", 30.0), ("out_invoice", 0.5)]
        )

    def test_east_with_a_minimum_then_a_late_call(self):
        self.charge.minimum_amount = 30.0
        self._end(160)
        self._move_to(EAST)
        self._call_late()
        self.assertEqual(
            self.usage_documents(), [("out_invoice", 30.0), ("out_invoice", 0.5)]
        )


@tagged("post_install", "-at_install")
class TestZoneMovesAfterARenewal(ZoneCase):
    """Renewed on 20 January; the old order's month was billed on 1 February."""

    def test_east(self):
        """Calls of its last hours stay there: they are not the renewal's."""
        self.order = self.subscribe()
        self.at("2026-01-20 12:00:00")
        self.use(170, "2026-01-10")
        self.renew()
        self.at("2026-01-31 22:00:00")
        self.use(10, "2026-01-31T20:00:00")
        self._days("2026-02-01")
        self.assertEqual(self.net(), 40.0)  # 80 x 0.50
        self._move_to(EAST)
        self._days("2026-02-02", "2026-02-03", "2026-03-01")
        self.assertEqual(self.net(), 40.0)

    def test_west(self):
        """The renewal begins where the old order ended: its first calls are its own."""
        self.order = self.subscribe()
        self.at("2026-01-20 12:00:00")
        self.use(180, "2026-01-10")
        self.renew()
        self._days("2026-02-01")
        self.use(120, "2026-02-01T02:00:00")
        self._move_to(WEST)
        self._days("2026-02-02", "2026-02-03", "2026-03-01")
        self.assertEqual(self.net(), 50.0)  # 80 x 0.50 + 20 x 0.50


@tagged("post_install", "-at_install")
class TestZoneMovesInTheRunningWindow(ZoneCase):
    """Nothing of it is settled: its start stays, its end is cut in the new zone."""

    def test_east(self):
        self.order = self.subscribe()
        self._move_to(EAST, "2026-01-15 09:00:00")
        self._use_until_the_last_hours()
        self._days("2026-02-01", "2026-03-01")
        self.assertEqual(self.net(), 100.0)  # 100 x 0.50 in January and in February

    def test_west(self):
        """1 February 02:00 UTC is January in Toronto."""
        self.order = self.subscribe()
        self._move_to(WEST, "2026-01-15 09:00:00")
        self.use(200, "2026-01-10")
        self.at("2026-02-01 03:00:00")
        self.use(200, "2026-02-01T02:00:00")
        self._days("2026-02-01", "2026-03-01")
        self.assertEqual(self.net(), 150.0)  # 300 x 0.50 in January
