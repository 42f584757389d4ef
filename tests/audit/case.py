from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from ..rating.life import LifeCase

_ORACLE = Path(__file__).parents[2] / "benchmarks" / "oracle.py"


class AuditCase(LifeCase):
    """Plays lives of subscriptions, plants faults in them, and runs the audit."""

    def setUp(self):
        super().setUp()
        # They were there before all that is told; made when the test really runs.
        for table in ("fusion_billing_service", "fusion_billing_account_link"):
            self._sql(f"UPDATE {table} SET create_date = '2025-01-01'")

    def _audit(self):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["fusion.billing.audit"]._run(self.company)

    def _findings(self, kind=None):
        findings = self._audit().finding_ids
        return findings.filtered(lambda f: kind in (None, f.kind))

    def _assert_clean(self):
        audit = self._audit()
        self.assertEqual(audit.result_ids.filtered("error").mapped("error"), [])
        found = audit.finding_ids.filtered(lambda f: not f.is_note)
        self.assertEqual(found.mapped(lambda f: (f.kind, f.message)), [])
        # What waits to be rated was not looked at, in part: no more is said then.
        self.assertEqual(audit.state, "partial" if audit.waiting_count else "clean")
        self.assertEqual(self._oracle(), [])
        return audit

    def _oracle(self):
        """What benchmarks/oracle.py says of the whole database, in this transaction."""
        spec = spec_from_file_location("fc_oracle", _ORACLE)
        oracle = module_from_spec(spec)
        spec.loader.exec_module(oracle)
        said = []
        oracle.Oracle(self.env.cr._cnx, said.append).run()
        return said

    # -- behind Odoo's back ----------------------------------------------------

    def _sql(self, query, *parameters):
        self.env.flush_all()
        self.env.cr.execute(query, parameters or None)
        self.env.invalidate_all()

    @contextmanager
    def _planted(self, query, *parameters):
        """A fault that is in the database for as long as this lasts."""
        self.env.flush_all()
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            self._sql(query, *parameters)
            yield
        finally:
            self.env.flush_all()
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def _copy_row(self, table, row, **values):
        """A statement that copies a row, with these SQL values instead of its own."""
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
            [table],
        )
        columns = [name for [name] in self.env.cr.fetchall() if name != "id"]
        chosen = ", ".join(values.get(name, f'"{name}"') for name in columns)
        names = ", ".join(f'"{name}"' for name in columns)
        return f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {table}" + (
            f" WHERE id = {row.id}"
        )

    def _assert_each_named(self, faults):
        """Plant one fault after the other; the audit names each, with its invariant.

        :param faults: list of (what is done, SQL, what the audit says: one kind or
            several), each kind as "I1 kind"; "oracle" where that one says so, too
        """
        self._assert_clean()
        for what, query, *named in faults:
            with self.subTest(what), self._planted(query):
                audit = self._audit()
                found = {f"{f.invariant} {f.kind}" for f in audit.finding_ids}
                errors = audit.result_ids.filtered("error").mapped("error")
                self.assertEqual(errors, [])
                if self._oracle():
                    found.add("oracle")
                self.assertLessEqual({*named}, found)
                notes = all(audit.finding_ids.mapped("is_note"))
                self.assertEqual(audit.state, "clean" if notes else "violations")
        self._assert_clean()


class PlantedCase(AuditCase):
    """January was billed (25.00), February is open (20.00), on 12 February."""

    def setUp(self):
        super().setUp()
        self.order = self.subscribe()
        self.at("2026-01-20 12:00:00")
        self.use(149, "2026-01-10", key="most")
        self.use(1, "2026-01-20", key="one")
        self.day("2026-02-01 09:00:00")
        self.at("2026-02-10 12:00:00")
        self.use(140, "2026-02-10", key="of-february")
        self.use(7, "2025-12-01", key="before-the-start")
        self.day("2026-02-12 09:00:00")
        self.january, self.february = self.order.fc_rating_ids.sorted("window_start")
        self.invoice = self.january.invoice_id
        self.line = self.january.invoice_line_id

    def _stored(self, key):
        return self.env["fusion.billing.usage"].search(
            [
                ("subscription_id", "=", self.order.id),
                ("idempotency_key", "=", key),
            ]
        )
