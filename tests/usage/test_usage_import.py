import base64
import csv
import io
import time
from datetime import datetime
from decimal import Decimal
from unittest.mock import patch

from openpyxl import Workbook

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import new_test_user, tagged

from ..common import BillingCase

IMPORTS = "odoo.addons.fusion_centralized_billing.models.usage.imports"
HEADER = (
    "subscription_external_id,metric_code,quantity,period_start,period_end,"
    "idempotency_key"
)
JANUARY = datetime(2026, 1, 1), datetime(2026, 2, 1)


class ImportCase(BillingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env, "import-manager", "fusion_centralized_billing.group_manager"
        )
        cls.reader = new_test_user(
            cls.env, "import-reader", "fusion_centralized_billing.group_user"
        )
        cls.order.write({"fc_service_id": cls.service.id, "fc_external_id": "sub-1"})
        cls.service.uses_external_ids = True

    def _import(self, content, **values):
        if isinstance(content, str):
            content = content.encode()
        return (
            self.env["fusion.billing.usage.import"]
            .with_user(self.manager)
            .create(
                {
                    "service_id": self.service.id,
                    "filename": "usage.csv",
                    "file": base64.b64encode(content),
                    "tz": "UTC",
                }
                | values
            )
        )

    def _csv(self, *rows):
        return "\n".join([HEADER, *rows]) + "\n"

    def _work(self):
        """The job runs."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref("fusion_centralized_billing.cron_jobs").method_direct_trigger()
        self.env.invalidate_all()

    def _counts(self, record):
        return (
            record.state,
            record.accepted_count,
            record.duplicate_count,
            record.refused_count,
        )

    def _quantity(self):
        return self.env["fusion.billing.usage"]._aggregate(
            self.order, self.metric, *JANUARY
        )

    def _row(self, key, quantity="1", metric="api_calls", day="2026-01-10"):
        return f"sub-1,{metric},{quantity},{day},{day},{key}"


@tagged("post_install", "-at_install")
class TestUsageImport(ImportCase):
    """Usage from a file goes through what the API's does, and is stored once."""

    def test_check_then_import(self):
        self._post_usage(self._event(idempotency_key="known", quantity=2))
        record = self._import(
            self._csv(
                self._row("a", "0.1000000001"),
                self._row("b", "3", day="2025-01-10"),
                self._row("a", "0.1000000001"),
                self._row("a", "5"),
                "sub-1,api_calls,2,2026-01-10T00:00:00Z,2026-01-10T01:00:00Z,known",
                self._row("c", "x"),
                "",
                self._row("d", "1", metric="nothing"),
            )
        )
        record.action_check()
        # accepted: a, b; duplicates: a again, known; refused: a with 5, c and d
        self.assertEqual(self._counts(record), ("checked", 2, 2, 3))
        self.assertEqual(self._usage_count(), 1)
        self.assertEqual((record.row_count, record.done_count), (8, 8))
        said = [(r.number, r.result, r.code or "") for r in record.row_ids]
        expected = [
            (2, "accepted", ""),
            (3, "unallocated", ""),
            (4, "duplicate", ""),
            (5, "conflict", "idempotency_conflict"),
            (6, "duplicate", ""),
            (7, "rejected", "invalid_quantity"),
            (9, "rejected", "unknown_metric"),
        ]
        self.assertEqual(said, expected)
        record.action_import()
        self.assertEqual(self._counts(record), ("done", 2, 2, 3))
        self.assertEqual(
            [(r.number, r.result, r.code or "") for r in record.row_ids], expected
        )
        self.assertEqual(self._quantity(), Decimal("2.1000000001"))
        self.assertEqual(self._usage_count(), 3)
        with self.assertRaisesRegex(UserError, "Reload"):
            record.action_import()

    def test_a_file_twice_is_stored_once(self):
        content = self._csv(self._row("a", "4"), self._row("", "5"))
        for counts in (("done", 2, 0, 0), ("done", 0, 2, 0)):
            record = self._import(content)
            record.action_check()
            record.action_import()
            self.assertEqual(self._counts(record), counts)
        self.assertEqual(self._quantity(), 9)

    def test_what_was_refused_is_handed_out_mended_and_imported(self):
        record = self._import(self._csv("sub-1,=cmd,-5,2026-01-10,2026-01-10,@k"))
        record.action_check()
        action = record.with_user(self.reader).action_download_refused()
        self.assertIn(f"{record.id}/refused_file", action["url"])
        content = record.with_user(self.reader).refused_file
        text = base64.b64decode(content).decode("utf-8-sig")
        [row] = csv.DictReader(io.StringIO(text))
        self.assertEqual(
            (row["metric_code"], row["quantity"], row["idempotency_key"]),
            ("'=cmd", "'-5", "'@k"),
        )
        self.assertEqual((row["row"], row["code"]), ("2", "invalid_quantity"))
        mended = text.replace("'=cmd", "api_calls").replace("'-5", "5")
        again = self._import(mended)
        again.action_check()
        again.action_import()
        self.assertEqual(self._counts(again), ("done", 1, 0, 0))
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        self.assertEqual(usage.idempotency_key, "@k")

    def test_times_are_of_the_zone_that_was_chosen(self):
        record = self._import(
            self._csv(self._row("a", day="2026-01-01")), tz="Asia/Tokyo"
        )
        record.action_check()
        record.action_import()
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        self.assertEqual(usage.period_start, datetime(2025, 12, 31, 15))

    def test_files_that_cannot_be_read(self):
        for content, said in (
            (b"", "empty"),
            ("Größe".encode("latin-1"), "not in utf-8"),
            (b"a,b\n1,2\n", "“a”, “b”"),
            (b"PK\x03\x04broken", "no spreadsheet"),
            (b"\xd0\xcf\x11\xe0old", "xlsx"),
            (b"%PDF-1.4", "not known|missing"),
        ):
            with self.subTest(said):
                record = self._import(content or b"\n")
                record.action_check()
                self.assertEqual(record.state, "failed")
                self.assertRegex(record.problem, f"{said}|missing|not known")
                self.assertEqual(self._usage_count(), 0)

    def test_a_file_that_changes_is_checked_anew(self):
        record = self._import(self._csv(self._row("a")))
        record.action_check()
        record.tz = "Europe/Berlin"
        self.assertEqual(self._counts(record), ("draft", 0, 0, 0))
        self.assertFalse(record.row_ids)
        with self.assertRaisesRegex(UserError, "Reload"):
            record.action_import()
        record.action_check()
        record.action_import()
        with self.assertRaisesRegex(UserError, "already imported"):
            record.tz = "UTC"

    def test_a_large_file_is_done_in_the_background_and_goes_on(self):
        """2,500 rows of 0.1; the job is stopped after the first thousand."""
        rows = [self._row(f"k{n}", "0.1") for n in range(2_500)]
        record = self._import(self._csv(*rows))
        with patch(f"{IMPORTS}.AT_ONCE_BYTES", 10):
            record.action_check()
        self.assertEqual(record.state, "checking")
        with patch.object(type(self.env["ir.cron"]), "_commit_progress") as commit:
            commit.return_value = 100
            self._work()
            self.assertEqual(self._counts(record), ("checked", 2_500, 0, 0))
            with patch(f"{IMPORTS}.AT_ONCE", 10):
                record.action_import()
            commit.return_value = 0
            self._work()
            self.assertEqual(self._counts(record), ("running", 1_000, 0, 0))
            self.assertEqual((record.done_count, record.job_progress), (1_000, 40))
            self.assertEqual(self._usage_count(), 1_000)
            commit.return_value = 100
            self._work()
        self.assertEqual(self._counts(record), ("done", 2_500, 0, 0))
        self.assertEqual(str(self._quantity()), "250.0")
        self.assertEqual(len(record.row_ids), 2_500)

    def test_a_hundred_thousand_rows(self):
        rows = [self._row(f"k{n}", "1") for n in range(100_000)]
        record = self._import(self._csv(*rows))
        with patch.object(type(self.env["ir.cron"]), "_commit_progress") as commit:
            commit.return_value = 100
            started = time.monotonic()
            record.action_check()
            self._work()
            checked = time.monotonic()
            record.action_import()
            self._work()
        self.assertEqual(self._counts(record), ("done", 100_000, 0, 0))
        self.assertEqual(self._quantity(), 100_000)
        self.assertLess(checked - started, 120)
        self.assertLess(time.monotonic() - checked, 180)

    def test_who_may(self):
        record = self._import(self._csv(self._row("a")))
        record.action_check()
        seen = record.with_user(self.reader)
        self.assertEqual(seen.accepted_count, 1)
        for act in (seen.action_check, seen.action_import, seen.unlink):
            with self.assertRaises(AccessError):
                act()
        with self.assertRaises(AccessError):
            record.state = "done"
        other = self.env["res.company"].create({"name": "Another Company"})
        stranger = new_test_user(
            self.env,
            "import-elsewhere",
            "fusion_centralized_billing.group_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        with self.assertRaises(AccessError):
            record.with_user(stranger).action_import()
        with self.assertRaises(AccessError):
            self._import("").with_user(stranger).copy()

    def test_odoos_own_import_leads_here(self):
        Usage = self.env["fusion.billing.usage"].with_user(self.manager)
        with self.assertRaisesRegex(RedirectWarning, "Import Usage"):
            Usage.load(["quantity"], [["5"]])
        self.assertEqual(self._usage_count(), 0)


@tagged("post_install", "-at_install")
class TestSpreadsheet(ImportCase):
    """An XLSX file says what its cells show."""

    def _xlsx(self, *rows):
        book = Workbook()
        sheet = book.active
        sheet.append(HEADER.split(","))
        for row in rows:
            sheet.append(["sub-1", "api_calls", None, None, None, None])
            for column, (value, shape) in row.items():
                cell = sheet.cell(sheet.max_row, column, value)
                cell.number_format = shape
        stream = io.BytesIO()
        book.save(stream)
        return stream.getvalue()

    def _quantities(self, *cells):
        day = datetime(2026, 1, 10, 12)
        rows = [
            {3: cell, 4: (day, "yyyy-mm-dd hh:mm"), 5: (day, "yyyy-mm-dd hh:mm")}
            | {6: (f"k{n}", "@")}
            for n, cell in enumerate(cells)
        ]
        record = self._import(self._xlsx(*rows))
        record.action_check()
        record.action_import()
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        self.env.cr.execute(
            "SELECT idempotency_key, quantity::text, period_start"
            " FROM fusion_billing_usage WHERE id = ANY(%s)",
            [usage.ids],
        )
        found = {key: (text, start) for key, text, start in self.env.cr.fetchall()}
        return record, found

    def test_numbers_as_they_are_shown(self):
        record, found = self._quantities(
            (0.1 + 0.2, "General"),
            (2820.0400000000004, "0.00"),
            (1.005, "0.00"),
            (1234.5, "#,##0.00"),
            (7, "General"),
            ("0.1000000001", "@"),
            (2.6, "0"),
            (1e-7, "General"),
        )
        self.assertEqual(self._counts(record), ("done", 8, 0, 0))
        shown = [Decimal(found[f"k{n}"][0]) for n in range(8)]
        self.assertEqual(
            shown,
            [
                Decimal(text)
                for text in (
                    *("0.3", "2820.04", "1.01", "1234.50"),
                    *("7", "0.1000000001", "3", "0.0000001"),
                )
            ],
        )
        self.assertEqual(found["k0"][1], datetime(2026, 1, 10, 12))

    def test_what_says_nothing_for_sure_is_refused(self):
        record, _found = self._quantities(
            (0.5, "0%"), (1e20, "General"), (True, "General"), (-1, "General")
        )
        self.assertEqual(record.refused_count, 4)
        reasons = record.row_ids.mapped("reason")
        self.assertIn("shown as", reasons[0])
        self.assertIn("15 digits", reasons[1])
        self.assertIn("true or false", reasons[2])
        self.assertIn("invalid quantity", reasons[3])

    def test_times_are_of_the_zone_that_was_chosen(self):
        day = datetime(2026, 1, 10, 8, 30)
        record = self._import(
            self._xlsx({3: (1, "0"), 4: (day, "dd/mm/yyyy hh:mm"), 5: (day, "hh:mm")}),
            tz="Europe/Berlin",
        )
        record.action_check()
        record.action_import()
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        self.assertEqual(usage.period_start, datetime(2026, 1, 10, 7, 30))
