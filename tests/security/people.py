"""A billed world with secrets in it, and people who may read more or less of it."""

import base64
from datetime import date, datetime

from odoo.fields import Command
from odoo.tests import new_test_user

from ..common import BillingCase
from ..webhook.webhook_case import SECRET, URL

# In the name of whatever nobody may learn of who may not read it.
MARK = "Quillfeather"
# How much was used, for the same purpose.
QUANTITY = 73190
BILLING = ("user", "manager", "administrator")
GROUPS = {
    "nobody": "base.group_user",
    "user": "fusion_centralized_billing.group_user",
    "manager": "fusion_centralized_billing.group_manager",
    "administrator": "fusion_centralized_billing.group_admin",
    "salesperson": "sales_team.group_sale_salesman",
    "sales manager": "sales_team.group_sale_manager",
    "read-only accountant": "account.group_account_readonly",
    "invoicing accountant": "account.group_account_invoice",
    "portal": "base.group_portal",
}


class PeopleCase(BillingCase):
    """Each role twice: once at home in the company that is billed, once in another.

    The customer of all subscriptions is ``cls.partner``. The portal user at home is a
    contact of it, the other one of nobody.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other Company"})
        cls._name_things()
        cls._bill()
        cls._set_up_the_rest()
        cls._make_people()
        cls.tokens = [
            *(order._portal_ensure_token() for order in cls.orders),
            cls.invoice._portal_ensure_token(),
        ]
        service = cls.service
        cls.secrets = [
            SECRET,
            service.webhook_secret_encrypted,
            service.api_key_hash,
            cls.raw_key,
        ]
        cls.env.flush_all()

    @classmethod
    def _create_plan(cls, **values):
        return super()._create_plan(**{"company_id": cls.env.company.id} | values)

    @classmethod
    def _create_metric(cls, **values):
        return super()._create_metric(**{"company_id": cls.env.company.id} | values)

    @classmethod
    def _name_things(cls):
        for record in (cls.partner, cls.service, cls.plan, cls.metric, cls.order):
            record.name = f"{MARK} {record._name}"
        cls.service.write({"webhook_url": URL, "webhook_secret": SECRET})
        cls.raw_key = cls.service.action_generate_api_key()
        cls.order.write({"fc_service_id": cls.service.id, "fc_external_id": MARK})

    @classmethod
    def _bill(cls):
        """Subscriptions in each state that a method asks for, and an invoice."""
        moment = datetime(2026, 1, 10)
        Usage = cls.env["fusion.billing.usage"]
        cls.ended = cls._create_subscription()
        cls.paused = cls._create_subscription()
        cls.quotation = cls._create_order()
        cls.sold_once = cls._create_order(
            plan_id=False,
            order_line=[
                Command.create(
                    {
                        "product_id": cls._create_product(recurring_invoice=False).id,
                        "product_uom_qty": 1,
                        "price_unit": 7.0,
                    }
                )
            ],
        )
        cls.orders = cls.order | cls.ended | cls.paused | cls.quotation | cls.sold_once
        cls.orders.write({"note": MARK})
        Usage._record_usage(cls.order, cls.metric.code, QUANTITY, moment, moment)
        cls.invoice = cls.order._create_invoices(final=True)
        cls.invoice.action_post()
        cls._set_window(cls.order, date(2026, 2, 1), date(2026, 3, 1))
        Usage._record_usage(
            cls.order, cls.metric.code, 200, datetime(2026, 2, 5), datetime(2026, 2, 5)
        )
        cls.order._fc_rate_usage()
        cls.paused.write({"subscription_state": "4_paused"})
        cls.ended._fc_close()
        # It comes when all is billed, so it is open until somebody bills it by hand.
        Usage._record_usage(cls.ended, cls.metric.code, QUANTITY, moment, moment)
        cls.ended._fc_rate_usage()

    @classmethod
    def _set_up_the_rest(cls):
        """A record of each model of ours that the above did not make."""
        cls.reconciliation = cls.env["fusion.billing.reconciliation"].create(
            {
                "service_id": cls.service.id,
                "subscription_id": cls.order.id,
                "metric_id": cls.metric.id,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
                "declared_quantity": 5,
                "note": MARK,
            }
        )
        cls.reconciliation.action_compare()
        cls.draft = cls.env["fusion.billing.price.draft"].create(
            {
                "name": MARK,
                "company_id": cls.company.id,
                "plan_ids": [Command.set(cls.plan.ids)],
                "live_date": "2027-01-01",
            }
        )
        cls.draft.action_copy_prices()
        cls.draft.action_compare()
        cls.env["fusion.billing.charge.tier"].create(
            {"charge_id": cls.charge.id, "up_to": 0, "price_per_unit": 1}
        )
        cls.env["fusion.billing.audit"]._run(cls.company)
        cls.env["fusion.billing.job"]._ask(cls.draft, "action_compare")
        cls.env["product.pricelist"].create(
            {
                "name": MARK,
                "company_id": cls.company.id,
                "item_ids": [Command.create({"fixed_price": 5})],
            }
        )
        cls._note_what_happened()
        cls._accrue()
        cls._close_the_month()
        provider = cls.env["payment.provider"].search([], limit=1)
        methods = cls.env["payment.method"].with_context(active_test=False).search([])
        cls.payment_token = cls.env["payment.token"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": methods[:1].id,
                "partner_id": cls.partner.id,
                "provider_ref": "reference-at-the-provider",
                "payment_details": MARK,
            }
        )
        if "payment_token_id" in cls.order._fields:  # the drop-in's
            cls.order.payment_token_id = cls.payment_token

    @classmethod
    def _close_the_month(cls):
        """Control totals of the billed window, and what code makes around them."""
        cls.control = cls.env["fusion.billing.control"].create(
            {"date_start": "2026-01-01", "date_end": "2026-01-31", "note": MARK}
        )
        cls.control.action_compute()
        cls.env["fusion.billing.control.change"].create(
            {
                "control_id": cls.control.id,
                "service_id": cls.service.id,
                "metric_id": cls.metric.id,
                "subscription_id": cls.order.id,
                "figure": "accepted_quantity",
                "now": QUANTITY,
            }
        )
        cls.env["fusion.billing.hold"].create(
            {
                "move_id": cls.invoice.id,
                "kind": "declared",
                "key": MARK,
                "reason": MARK,
            }
        )

    @classmethod
    def _note_what_happened(cls):
        """What only code writes, of requests, deliveries and invoices."""
        moment = datetime(2026, 2, 5)
        service = {"service_id": cls.service.id}
        webhook = cls.env["fusion.billing.webhook"].search([], limit=1)
        cls.env["fusion.billing.webhook.attempt"].create(
            service
            | {"webhook_id": webhook.id, "started_at": moment, "result": "delivered"}
        )
        cls.env["fusion.billing.api.log"].create(service | {"called_at": moment})
        cls.env["fusion.billing.api.refusal"].create(service | {"minute": moment})
        cls._refuse_usage()
        rating = cls.order.fc_rating_ids.filtered("invoice_line_id")[:1]
        cls.env["fusion.billing.adjustment"].create(
            {
                "rating_id": rating.id,
                "agreement_id": rating.agreement_id.id,
                "line_id": rating.invoice_line_id.id,
                "forgiven": 1.0,
            }
        )

    @classmethod
    def _refuse_usage(cls):
        """What an app sent, and what a file says, that was not stored."""
        event = {"subscription_external_id": MARK, "metric_code": MARK, "quantity": 1}
        cls.service._api_record_usage({"events": [event]})
        header = "subscription_id,metric_code,quantity,period_start,period_end"
        content = f"{header}\n1,{MARK},1,2026-01-10,2026-01-10\n".encode()
        cls.env["fusion.billing.usage.import"].create(
            {
                "service_id": cls.service.id,
                "filename": MARK,
                "file": base64.b64encode(content),
            }
        ).action_check()

    @classmethod
    def _accrue(cls):
        """What was used in February, worked out and not posted."""
        journal = cls.env["account.journal"].search(
            [("type", "=", "general"), ("company_id", "=", cls.company.id)], limit=1
        )
        account = cls.env["account.account"].search(
            [
                ("account_type", "=", "asset_current"),
                ("company_ids", "in", cls.company.ids),
            ],
            limit=1,
        )
        wizard = cls.env["fusion.billing.accrual.wizard"].create(
            {
                "date": "2026-02-28",
                "journal_id": journal.id,
                "account_id": account.id,
            }
        )
        wizard.action_preview()
        # That has rated all that waited.
        cls.env["fusion.billing.rating.queue"]._add(cls.order)

    @classmethod
    def _make_people(cls):
        at_home = {
            "company_id": cls.company.id,
            "company_ids": [Command.set(cls.company.ids)],
        }
        elsewhere = {
            "company_id": cls.other_company.id,
            "company_ids": [Command.set(cls.other_company.ids)],
        }
        cls.at_home, cls.elsewhere = {}, {}
        for role, groups in GROUPS.items():
            login = role.replace(" ", "-")
            cls.at_home[role] = new_test_user(cls.env, f"{login}-in", groups, **at_home)
            if role == "portal":
                continue
            cls.elsewhere[role] = new_test_user(
                cls.env, f"{login}-out", groups, **elsewhere
            )
        cls.elsewhere["portal"] = new_test_user(
            cls.env, "portal-out", GROUPS["portal"], **at_home
        )
        cls.at_home["portal"].partner_id.parent_id = cls.partner
        cls.elsewhere["public"] = cls.env.ref("base.public_user")
