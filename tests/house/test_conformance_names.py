"""The names that this addon relies on in `sale_subscription`.

See test_conformance_behaviour.py, where the rules for both files stand.
"""

from odoo.tests import TransactionCase, tagged

from .test_conformance_behaviour import EXPIRY_JOB, INVOICE_JOB

FIELDS = (
    # model, field, type, and the model it refers to
    ("sale.order", "is_subscription", "boolean", None),
    ("sale.order", "plan_id", "many2one", "sale.subscription.plan"),
    ("sale.order", "subscription_state", "selection", None),
    ("sale.order", "start_date", "date", None),
    ("sale.order", "next_invoice_date", "date", None),
    ("sale.order", "last_invoice_date", "date", None),
    ("sale.order", "end_date", "date", None),
    ("sale.subscription.plan", "name", "char", None),
    ("sale.subscription.plan", "company_id", "many2one", "res.company"),
    ("sale.subscription.plan", "billing_period_value", "integer", None),
    ("sale.subscription.plan", "billing_period_unit", "selection", None),
    ("sale.subscription.plan", "billing_first_day", "boolean", None),
    ("product.template", "recurring_invoice", "boolean", None),
)
SEARCHED = (
    ("sale.order", "is_subscription"),
    ("sale.order", "plan_id"),
    ("sale.order", "subscription_state"),
    ("sale.order", "start_date"),
    ("sale.order", "next_invoice_date"),
    ("sale.subscription.plan", "company_id"),
    ("product.product", "recurring_invoice"),
)
KEYS = {
    ("sale.order", "subscription_state"): (
        *("1_draft", "2_renewal", "3_progress", "4_paused"),
        *("5_renewed", "6_churn", "7_upsell"),
    ),
    ("sale.subscription.plan", "billing_period_unit"): ("week", "month", "year"),
}


@tagged("fcb_conformance")
class TestConformanceNames(TransactionCase):
    """Models, fields and records that this addon names."""

    test_sequence = -100  # before everything else of this module

    def test_fields(self):
        for model, name, kind, comodel in FIELDS:
            with self.subTest(f"{model}.{name}"):
                self.assertIn(model, self.env, f"model {model}: there is none")
                field = self.env[model]._fields.get(name)
                self.assertTrue(field, f"{model}.{name}: there is no such field")
                self.assertEqual(
                    (field.type, field.comodel_name),
                    (kind, comodel),
                    f"{model}.{name}: not a {kind} field {comodel or ''}".rstrip(),
                )

    def test_selection_keys(self):
        for (model, name), keys in KEYS.items():
            with self.subTest(f"{model}.{name}"):
                field = self.env[model]._fields[name]
                missing = sorted({*keys} - {*field.get_values(self.env)})
                self.assertFalse(missing, f"{model}.{name}: no values {missing}")

    def test_fields_can_be_searched(self):
        for model, name in SEARCHED:
            with self.subTest(f"{model}.{name}"):
                field = self.env[model]._fields[name]
                self.assertTrue(
                    field.store or field.search, f"{model}.{name}: cannot be searched"
                )

    def test_plan_table(self):
        """Charges of one plan are kept from overlapping by a lock on its row."""
        self.assertEqual(
            self.env["sale.subscription.plan"]._table,
            "sale_subscription_plan",
            "sale.subscription.plan: its table is not sale_subscription_plan",
        )

    def test_records(self):
        for xmlid, model in (
            ("sale_subscription_action", "ir.actions.act_window"),
            ("model_sale_subscription_plan", "ir.model"),
            ("subscription_plan_month", "sale.subscription.plan"),
            ("subscription_plan_year", "sale.subscription.plan"),
        ):
            with self.subTest(xmlid):
                record = self.env.ref(
                    f"sale_subscription.{xmlid}", raise_if_not_found=False
                )
                self.assertTrue(record, f"sale_subscription.{xmlid}: no such record")
                self.assertEqual(
                    record._name, model, f"sale_subscription.{xmlid}: not a {model}"
                )

    def test_scheduled_actions(self):
        for name in (INVOICE_JOB, EXPIRY_JOB):
            with self.subTest(name):
                jobs = self.env["ir.cron"].with_context(active_test=False)
                self.assertEqual(
                    jobs.search_count([("cron_name", "=", name)]),
                    1,
                    f"scheduled action {name!r}: not exactly one",
                )
