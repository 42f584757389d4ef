from contextlib import suppress
from pathlib import Path

from lxml import etree

from odoo import models
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..sweep import EXTENDED, OURS, SweepCase


@tagged("post_install", "-at_install")
class TestWrittenByCode(SweepCase):
    """What is readonly is not written over RPC either, whoever asks.

    The users of this test may write all tables, so that it is not a missing right
    that refuses them.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rest = ("sales_team.group_sale_manager", "account.group_account_manager")
        cls.people = [
            cls._create_user(f"sweep-{group}", cls.company, groups=(group, *rest))
            for group in (
                f"{OURS}.group_manager",
                f"{OURS}.group_admin",
                "base.group_system",
            )
        ]

    def _code_fields(self, model):
        """Stored fields of ours that are readonly: in Python, or wherever shown."""
        shown = self._readonly_in_views().get(model._name, {})
        return [
            field
            for field in model._fields.values()
            if self._is_ours(field)
            and field.store
            and field.column_type
            and field.name not in models.MAGIC_COLUMNS
            and (field.readonly or shown.get(field.name))
        ]

    def _readonly_in_views(self):
        """{model: {field: whether each form that shows it has it readonly}}"""
        found = {}
        names = self.env["ir.model.data"].search(
            [("model", "=", "ir.ui.view"), ("module", "in", list(self._modules()))]
        )
        for view in self.env["ir.ui.view"].browse(names.mapped("res_id")):
            if view.model in self.env and view.type == "form":
                self._note_nodes(
                    etree.fromstring(view.arch), self.env[view.model], found
                )
        return found

    def _note_nodes(self, node, model, found):
        for child in node:
            inner, name = model, child.get("name")
            if child.tag == "field" and name in model._fields:
                readonly = child.get("readonly") in ("1", "True")
                fields = found.setdefault(model._name, {})
                fields[name] = fields.get(name, True) and readonly
                if not child.get("position"):
                    inner = self.env.get(model._fields[name].comodel_name, model)
            self._note_nodes(child, inner, found)

    def _cases(self):
        for model in [*self._models(), *(self.env[name] for name in EXTENDED)]:
            record = self._any_record(model, self.company)
            for field in self._code_fields(model):
                yield record, field

    def _values_of(self, record, name):
        self.env.flush_all()
        self.env.invalidate_all()
        return record.sudo()[name]

    def test_what_is_known_to_be_written_by_code_is_swept(self):
        swept = {str(field) for _record, field in self._cases()}
        expected = {
            "fusion.billing.reconciliation.state",
            "fusion.billing.reconciliation.actual_quantity",
            "fusion.billing.reconciliation.difference_amount",
            "fusion.billing.webhook.endpoint.webhook_failing_since",
            "fusion.billing.webhook.endpoint.webhook_secret_encrypted",
            "fusion.billing.service.uses_external_ids",
            "fusion.billing.price.draft.state",
            "fusion.billing.window.settled_at",
            "fusion.billing.window.charge.state",
            "fusion.billing.rating.amount",
            "fusion.billing.usage.unallocated",
            "fusion.billing.webhook.attempt.status",
            "sale.order.fc_billed_until",
            "sale.order.line.fc_charge_id",
            "account.move.line.fc_copied_from_id",
        }
        if len(self._modules()) > 1:
            expected |= {
                "sale.order.subscription_state",
                "sale.order.last_invoice_date",
                "sale.order.subscription_id",
                "sale.order.close_reason_id",
                "sale.order.recurring_monthly",
                "sale.subscription.period.released",
            }
        self.assertFalse(expected - swept)

    def test_nobody_writes_them(self):
        for record, field in self._cases():
            name = field.name
            before = self._values_of(record, name)
            vals = {name: self._some_value(field, record.sudo())}
            for user in self.people:
                mine = record.with_user(user)
                ways = {"write": lambda m=mine, v=vals: m.write(v)}
                if user == self.people[-1]:
                    ways["web_save"] = lambda m=mine, v=vals: m.web_save(v, {"id": {}})
                for label, way in ways.items():
                    with (
                        self.subTest(field=str(field), user=user.login, way=label),
                        mute_logger("odoo.models", "odoo.orm.models"),
                        self.assertRaises(UserError),
                        self.env.cr.savepoint(flush=False),
                    ):
                        way()
            self.assertEqual(self._values_of(record, name), before, field)

    def test_nobody_imports_them(self):
        user = self.people[-1]
        for record, field in self._cases():
            if field.type in ("many2one", "json", "many2one_reference"):
                continue
            before = self._values_of(record, field.name)
            value = str(self._some_value(field, record.sudo()))
            with self.subTest(field=str(field)):
                # Usage has an import of its own, and says so.
                with (
                    mute_logger("odoo.models", "odoo.orm.models"),
                    suppress(RedirectWarning),
                ):
                    record.browse().with_user(user).load(
                        [".id", field.name], [[str(record.id), value]]
                    )
                self.assertEqual(self._values_of(record, field.name), before)

    def test_nobody_creates_with_them(self):
        for record, field in self._cases():
            if not field.readonly:
                continue  # a line is made in the form of what it is a line of
            model = record.browse()
            value = self._some_value(field, record.sudo())
            if not value:
                continue  # says nothing
            given = record.sudo().copy_data()[0] | {field.name: value}
            default = {f"default_{field.name}": value}
            for user in self.people:
                mine = model.with_user(user)
                ways = [("create", lambda m=mine, g=given: m.create(g))]
                # What is computed is computed all the same.
                if not field.compute and model._name not in EXTENDED:
                    meant = mine.with_context(**default)
                    ways.append(("default", lambda m=meant: m.create({})))
                for label, way in ways:
                    with (
                        self.subTest(field=str(field), user=user.login, way=label),
                        mute_logger("odoo.models", "odoo.orm.models", "odoo.sql_db"),
                        self.assertRaises(AccessError),
                        self.env.cr.savepoint(),
                    ):
                        way()

    def test_an_invoice_that_is_reversed_keeps_what_its_lines_say(self):
        """Odoo copies the lines with the rights of who reverses an invoice."""
        accountant = self.here_only
        invoice = self.env["account.move"].search(
            [("company_id", "=", self.company.id), ("fc_rating_ids", "!=", False)]
        )
        wizard = (
            self.env["account.move.reversal"]
            .with_user(accountant)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        wizard.modify_moves()
        [credit] = invoice.reversal_move_ids
        billed = invoice.invoice_line_ids.filtered("fc_rating_ids")
        self.assertTrue(billed)
        self.assertEqual(credit.invoice_line_ids.fc_copied_from_id, billed)
        self.assertEqual(wizard.new_move_ids.line_ids.fc_copied_from_id, billed)

    def test_both_modules_guard_in_the_same_way(self):
        """The drop-in stands alone, so it has the mechanism once more."""
        here = Path(__file__).parents[2]
        theirs = here / "community/sale_subscription/models/base/guarded.py"
        if not theirs.is_file():
            self.skipTest("without the drop-in's source")
        text = theirs.read_text(encoding="utf-8")
        for old, new in (
            ("SaleSubscriptionGuarded", "FusionBillingGuarded"),
            ("sale.subscription.guarded", "fusion.billing.guarded"),
            ('MODULE = "sale_subscription"', f'MODULE = "{OURS}"'),
            ("_subscription_", "_fc_"),
        ):
            self.assertIn(old, text)
            text = text.replace(old, new)
        own = (here / "models/base/guarded.py").read_text(encoding="utf-8")
        self.assertEqual(text, own)
