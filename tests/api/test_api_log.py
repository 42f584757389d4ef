import ast
from datetime import datetime

from freezegun import freeze_time
from lxml import etree

from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestApiLog(BillingCase):
    def _found(self, name, tz):
        """The entries that a filter of the search view finds."""
        view = self.env.ref("fusion_centralized_billing.api_log_view_search")
        [domain] = etree.fromstring(view.arch).xpath(
            f"//filter[@name='{name}']/@domain"
        )
        log = self.env["fusion.billing.api.log"].with_context(tz=tz)
        found = log.search(ast.literal_eval(domain), order="called_at")
        return [entry.called_at for entry in found]

    def test_last_night_is_the_users(self):
        """From 18 to 6 o'clock; Tokyo is 9 hours ahead, New York (winter) 5 behind.

        At 4:00 UTC on the 23rd it is 13:00 there, and 23:00 on the 22nd.
        """
        hours = [
            datetime(2026, 11, day, hour) for day in (21, 22) for hour in range(24)
        ]
        hours += [datetime(2026, 11, 23, hour) for hour in range(4)]
        log = self.env["fusion.billing.api.log"]
        log.search([]).sudo().unlink()
        for hour in hours:
            values = {"service_id": self.service.id, "called_at": hour}
            log._write_call(self.env.cr, values)
        for tz, name, first, last in (
            ("UTC", "last_night", (22, 18), (23, 3)),
            ("Asia/Tokyo", "last_night", (22, 9), (22, 20)),
            ("America/New_York", "last_night", (21, 23), (22, 10)),
            ("UTC", "today", (23, 0), (23, 3)),
            ("Asia/Tokyo", "today", (22, 15), (23, 3)),
            ("America/New_York", "today", (22, 5), (23, 3)),
            ("UTC", "yesterday", (22, 0), (22, 23)),
            ("Asia/Tokyo", "yesterday", (21, 15), (22, 14)),
            ("America/New_York", "yesterday", (21, 5), (22, 4)),
        ):
            with self.subTest(tz=tz, filter=name), freeze_time("2026-11-23 04:00:00"):
                found = self._found(name, tz)
                ends = [(at.day, at.hour) for at in (found[0], found[-1])]
                self.assertEqual(ends, [first, last])

    def test_deletion_goes_on_until_nothing_old_is_left(self):
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_api_log (service_id, called_at)
            SELECT %s, '2020-01-01' FROM generate_series(1, 10001)
            """,
            [self.service.id],
        )
        log = self.env["fusion.billing.api.log"]
        self.assertEqual(log._prune(), (10_000, True))
        deleted, more = log._prune()
        self.assertEqual((deleted >= 1, more), (True, False))

    def test_an_absurd_age_keeps_all(self):
        self.env["ir.config_parameter"].set_param(
            "fusion_centralized_billing.api_log_days", "9999999999"
        )
        self.assertEqual(self.env["fusion.billing.api.log"]._prune(), (0, False))
