"""The world of ``PeopleCase``, and a record of each state that a button asks for."""

import base64
from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user

from ..security.people import PeopleCase
from ..webhook.webhook_case import URL

HEADER = "subscription_id,metric_code,quantity,period_start,period_end"
# Buttons of invoices are shown to those who bill and keep the books, and the dialogs of
# keys to administrators.
EVERYTHING = (
    "base.group_system,fusion_centralized_billing.group_admin,"
    "sales_team.group_sale_manager,account.group_account_manager"
)


class PressedWorld(PeopleCase):
    """All subscriptions are the salesperson's, who sees no others."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.at_home["everything"] = new_test_user(
            cls.env,
            "everything-in",
            EVERYTHING,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.today = fields.Date.today()
        cls._sell()
        cls._put_usage_aside()
        cls._import_files()
        cls._close_more_months()
        cls._hold_invoices()
        cls._find_something()
        cls._break_what_can_break()
        cls._put_to_work()
        # Of several records that show a button, the one that has what it asks for.
        unallocated = cls.env["fusion.billing.usage"].search(
            [("unallocated", "=", True)], limit=1
        )
        cls.chosen = {
            "action_open_move_wizard": unallocated,
            "action_open_change_plan_wizard": cls.current,
            "action_open_close_wizard": cls.current,
        }
        seller = cls.at_home["salesperson"]
        cls.env["sale.order"].search([]).write({"user_id": seller.id})
        cls.env.flush_all()

    @classmethod
    def _quote_from(cls, action):
        return cls.env["sale.order"].browse(action["res_id"])

    @classmethod
    def _create_current(cls, **values):
        """A subscription in the middle of its window, whatever day it is."""
        order = cls._create_subscription(**values)
        cls._set_window(
            order, cls.today - timedelta(days=3), cls.today + timedelta(days=25)
        )
        return order

    @classmethod
    def _sell(cls):
        """Subscriptions with an upsell, a renewal, an alternative, a failed charge, and
        a pause to come.
        """
        cls.current = cls._create_current()
        with freeze_time(cls.today - timedelta(days=1)):
            cls.upsell = cls._quote_from(cls.current.prepare_upsell_order())
        cls.upsell.order_line.product_uom_qty = 1
        cls.renewed = cls._create_current()
        cls.renewal = cls._quote_from(cls.renewed.prepare_renewal_order())
        cls.alternative = cls._quote_from(cls.quotation.create_alternative())
        delivered = cls._create_product(invoice_policy="delivery")
        cls.due = cls._create_subscription(
            order_line=[Command.create({"product_id": delivered.id})]
        )
        cls.failed = cls._create_current()
        cls.failed.write(
            {"payment_exception": True, "payment_exception_reason": "No money"}
        )
        cls.failed.pause_subscription(pause_date=cls.today + timedelta(days=9))

    @classmethod
    def _event_of(cls, order, day, **values):
        """A usage event as an app posts it, at midnight of a day (ISO text)."""
        return {
            "subscription_id": order.id,
            "metric_code": cls.metric.code,
            "quantity": 1,
            "period_start": f"{day}T00:00:00Z",
            "period_end": f"{day}T00:00:00Z",
        } | values

    @classmethod
    def _put_usage_aside(cls):
        """Usage before the first window, and usage that was refused and dismissed."""
        cls.service._api_record_usage(
            {"events": [cls._event_of(cls.current, "2025-06-01")]}
        )
        cls.service._api_record_usage(
            {"events": [cls._event_of(cls.order, "2026-02-05", metric_code="none")]}
        )
        Refused = cls.env["fusion.billing.usage.refused"]
        Refused.search([("metric_code", "=", "none")]).action_dismiss()

    @classmethod
    def _import_files(cls):
        """Files that wait to be checked, are checked, and are at work."""
        row = f"{cls.order.id},{cls.metric.code},1,2026-02-06,2026-02-06"
        values = {
            "service_id": cls.service.id,
            "filename": "usage.csv",
            "file": base64.b64encode(f"{HEADER}\n{row}\n".encode()),
        }
        Import = cls.env["fusion.billing.usage.import"]
        _waiting, checked, cls.importing = Import.create([values] * 3)
        checked.action_check()
        cls.importing.state = "running"

    @classmethod
    def _close_more_months(cls):
        """A month signed off, one begun, one accrued with what is within a quota."""
        Control = cls.env["fusion.billing.control"]
        Control.create({"date_start": "2025-12-01", "date_end": "2025-12-31"})
        signed = Control.create({"date_start": "2025-11-01", "date_end": "2025-11-30"})
        signed.action_sign()
        cls.env["fusion.billing.reconciliation"].create(
            {
                "service_id": cls.service.id,
                "subscription_id": cls.order.id,
                "metric_id": cls.metric.id,
                "window_start": "2026-02-01",
                "window_end": "2026-03-01",
                "declared_quantity": 200,
            }
        )
        moment = datetime(2026, 1, 20)
        cls.env["fusion.billing.usage"]._record_usage(
            cls.paused, cls.metric.code, 1, moment, moment
        )
        draft = cls.env["fusion.billing.accrual"].search([], limit=1)
        posted = draft.copy({"date": date(2026, 1, 31)})
        posted.action_compute()
        posted.action_post_entries()

    @classmethod
    def _put_to_work(cls):
        """One of each kind that is at work in the background, and tells how far."""
        month = {"date_start": "2025-10-01", "date_end": "2025-10-31"}
        accrual = cls.env["fusion.billing.accrual"].search([], limit=1)
        for record in (
            cls.importing,
            cls.env["fusion.billing.control"].create(month),
            accrual.copy({"date": date(2026, 3, 31)}),
            cls.env["fusion.billing.audit"].search([], order="id", limit=1),
        ):
            cls.env["fusion.billing.job"]._ask(record, "action_reload")

    @classmethod
    def _changed_by_hand(cls):
        """The draft invoice of a window, with another price than was rated."""
        order = cls._create_subscription()
        moment = datetime(2026, 1, 10)
        cls.env["fusion.billing.usage"]._record_usage(
            order, cls.metric.code, 300, moment, moment
        )
        invoice = order._create_invoices(final=True)
        invoice.invoice_line_ids.filtered("fc_rating_ids").price_unit = 80.0
        return invoice

    @classmethod
    def _hold_invoices(cls):
        """One that was held when somebody posted it, and one that a check stopped."""
        cls.company.fc_hold_differing = True
        cls.held = cls._changed_by_hand()
        cls.held.action_post()
        cls.company.fc_hold_differing = False
        cls.company.fc_block_bad_invoices = True
        cls.blocked = cls._changed_by_hand()

    @classmethod
    def _find_something(cls):
        """Findings about an event that was changed: open, taken on and explained."""
        cls.env.flush_all()
        cls.env.cr.execute("UPDATE fusion_billing_usage SET fingerprint = 'changed'")
        cls.env.invalidate_all()
        audit = cls.env["fusion.billing.audit"]._run(cls.company)
        findings = audit.finding_ids.filtered(lambda x: x.kind == "event_changed")
        findings[1].action_take()

    @classmethod
    def _break_what_can_break(cls):
        """An app whose webhooks were switched off, as nobody answered them."""
        service = cls._create_service(code="lost-app", name="Lost App", webhook_url=URL)
        service.sudo().webhook_disabled_at = fields.Datetime.now()
        service.action_generate_api_key()
        webhook = cls.env["fusion.billing.webhook"]._enqueue(
            service, "webhook.test", {}
        )
        webhook.state = "dead"
