"""The same customers and amounts for each side of the invoicing benchmark.

A side has `set_up`, `prepare` (a day's invoices, not timed) and `invoice` (timed).
Subscription number n is that of the customer whose reference is n; with `slices` = s it
bills on day 1 + n % s of each month, so that a slice of them is due at a time.
"""

from datetime import date

from dateutil.relativedelta import relativedelta

from odoo.fields import Command

from benchmarks.support import usage

FIRST_MONTH = date(2026, 1, 1)
EVENTS = 10  # for each subscription, metric and month
BATCH = 5000  # events recorded at a time
PLAIN_LINES = ((1, 10.0), (2, 20.5), (3, 5.25))  # quantity and price


class Side:
    """What all sides have in common: accounts, a tax, products, customers."""

    cron = ""

    def __init__(self, env, args):
        self.env = env
        self.seed = args["seed"]
        self.size = args["size"]
        self.slices = args["slices"]

    def set_up(self):
        env = self.env
        company = env.company
        if not company.chart_template:
            env["account.chart.template"].try_loading(
                "generic_coa", company=company, install_demo=False
            )
        tax = env["account.tax"].create(
            {"name": "Sample tax 15%", "amount": 15, "type_tax_use": "sale"}
        )
        income = env["account.account"].search(
            [("account_type", "=", "income"), ("company_ids", "=", company.id)], limit=1
        )
        self.products = env["product.product"].create(
            [
                {
                    "name": f"Sample {metric}",
                    "type": "service",
                    "invoice_policy": "order",
                    "list_price": 0.0,
                    "taxes_id": [Command.set(tax.ids)],
                    "property_account_income_id": income.id,
                    **self.product_values(),
                }
                for metric in usage.METRICS
            ]
        )
        self.tax = tax
        self.partners = env["res.partner"].create(
            [
                {"name": f"Sample Customer {number}", "ref": str(number)}
                for number in range(self.size)
            ]
        )
        self.subscribe()

    def product_values(self):
        return {}

    def subscribe(self):
        """Make the subscriptions of `self.partners`."""
        raise NotImplementedError

    def start_of(self, number):
        return FIRST_MONTH + relativedelta(days=number % self.slices)

    def prepare(self, day, numbers):
        """Make what the invoices of `day` need; nothing unless overridden."""

    def invoice(self):
        """Run the scheduled action as the scheduler does, in its own transactions."""
        self.env.ref(self.cron).method_direct_trigger()
        self.env.cr.commit()

    def post_drafts(self):
        """Post what the scheduled action leaves in draft, all at once."""
        moves = self.env["account.move"].search(
            [("state", "=", "draft"), ("move_type", "=", "out_invoice")]
        )
        moves.action_post()
        self.env.cr.commit()

    def quantities(self, number, day):
        """Billable units of one subscription for its invoice of `day`, by metric."""
        month = usage.month_number(day.year, day.month)
        return [
            usage.billable(self.seed, number, metric, month)
            for metric in range(len(usage.METRICS))
        ]


class DropIn(Side):
    """`sale_subscription` alone: recurring lines at fixed prices."""

    cron = "sale_subscription.ir_cron_recurring_invoice"

    def product_values(self):
        return {"recurring_invoice": True}

    def subscribe(self):
        self.plan = self.env["sale.subscription.plan"].create(
            {"name": "Monthly", "invoice_posting": "post", **self.plan_values()}
        )
        self.before_orders()
        self.orders = self.env["sale.order"].create(
            [
                {
                    "partner_id": partner.id,
                    "plan_id": self.plan.id,
                    "start_date": self.start_of(number),
                    "next_invoice_date": self.start_of(number),
                    "order_line": self.order_lines(),
                    **self.order_values(number),
                }
                for number, partner in enumerate(self.partners)
            ]
        )
        self.orders.action_confirm()

    def plan_values(self):
        return {"invoice_mail_template_id": False}

    def before_orders(self):
        """Make what the orders refer to; nothing unless overridden."""

    def order_values(self, number):
        return {}

    def order_lines(self):
        return [
            Command.create(
                {
                    "product_id": product.id,
                    "product_uom_qty": quantity,
                    "price_unit": price,
                }
            )
            for product, (quantity, price) in zip(
                self.products, PLAIN_LINES, strict=True
            )
        ]


class Metered(DropIn):
    """The addon with the drop-in: three charges, usage recorded before."""

    def before_orders(self):
        env = self.env
        self.service = env["fusion.billing.service"].create(
            {"name": "Sample App", "code": "sample-app"}
        )
        env["fusion.billing.account.link"].create(
            [
                {
                    "service_id": self.service.id,
                    "external_id": partner.ref,
                    "partner_id": partner.id,
                }
                for partner in self.partners
            ]
        )
        metrics = env["fusion.billing.metric"].create(
            [{"name": name, "code": name} for name in usage.METRICS]
        )
        env["fusion.billing.charge"].create(
            [
                {
                    "plan_id": self.plan.id,
                    "plan_code": "monthly",
                    "metric_id": metric.id,
                    "product_id": product.id,
                    "charge_model": "standard",
                    "included_quota": usage.INCLUDED,
                    "price_per_unit": price,
                    "unit_batch": 1,
                }
                for metric, product, price in zip(
                    metrics, self.products, usage.UNIT_PRICES, strict=True
                )
            ]
        )

    def order_values(self, number):
        return {"fc_service_id": self.service.id, "fc_external_id": str(number)}

    def order_lines(self):
        return []

    def prepare(self, day, numbers):
        """Record the usage of the month that ends on `day`."""
        events = []
        month_ago = day - relativedelta(months=1)
        if month_ago < FIRST_MONTH:
            return
        for number in numbers:
            for metric, units in enumerate(self.quantities(number, day)):
                for index, part in enumerate(
                    usage.split(usage.INCLUDED + units, EVENTS)
                ):
                    moment = f"{month_ago + relativedelta(days=2 * index)}T12:00:00Z"
                    events.append(
                        {
                            "subscription_external_id": str(number),
                            "metric_code": usage.METRICS[metric],
                            "quantity": part,
                            "period_start": moment,
                            "period_end": moment,
                            "idempotency_key": f"{day}-{index}",
                        }
                    )
        for start in range(0, len(events), BATCH):
            results = self.env["fusion.billing.usage"]._ingest(
                self.service, events[start : start + BATCH]
            )
            refused = [r for r in results if r.status != "accepted"]
            if refused:
                raise RuntimeError(f"usage was not accepted: {refused[0]}")


class Contract(Side):
    """OCA `contract`: its scheduled action makes drafts, which are posted at once."""

    cron = "contract.contract_cron_for_invoice"

    def subscribe(self):
        self.env["contract.contract"].create(
            [
                {
                    "name": f"Sample contract {number}",
                    "code": str(number),
                    "partner_id": partner.id,
                    "invoice_partner_id": partner.id,
                    "contract_type": "sale",
                    "line_recurrence": False,
                    "recurring_rule_type": "monthly",
                    "recurring_interval": 1,
                    "recurring_invoicing_type": "pre-paid",
                    "date_start": self.start_of(number),
                    "contract_line_ids": self.lines(number),
                }
                for number, partner in enumerate(self.partners)
            ]
        )

    def lines(self, number):
        return [
            Command.create(
                {
                    "product_id": product.id,
                    "name": product.name,
                    "uom_id": product.uom_id.id,
                    "sequence": index,
                    "date_start": self.start_of(number),
                    **values,
                }
            )
            for index, (product, values) in enumerate(
                zip(self.products, self.line_values(), strict=True)
            )
        ]

    def line_values(self):
        return [{"quantity": q, "price_unit": p} for q, p in PLAIN_LINES]

    def invoice(self):
        super().invoice()
        self.post_drafts()


class ContractVariable(Contract):
    """With `contract_variable_quantity`: a formula that knows the usage for nothing."""

    def line_values(self):
        formula = self.env["contract.line.qty.formula"].create(
            {"name": "Usage", "code": usage.formula(self.seed)}
        )
        return [
            {"qty_type": "variable", "qty_formula_id": formula.id, "price_unit": price}
            for price in usage.UNIT_PRICES
        ]


class SubscriptionOca(Side):
    """OCA `subscription_oca`, told to make drafts, which are posted at once."""

    cron = "subscription_oca.ir_cron_subscription_management"
    mode = "draft"

    def product_values(self):
        return {"subscribable": True}

    def subscribe(self):
        env = self.env
        template = env["sale.subscription.template"].create(
            {
                "name": "Monthly",
                "code": "M",
                "recurring_rule_type": "months",
                "recurring_interval": 1,
                "invoicing_mode": self.mode,
            }
        )
        pricelist = env["product.pricelist"].create({"name": "Sample"})
        subscriptions = env["sale.subscription"].create(
            [
                {
                    "partner_id": partner.id,
                    "template_id": template.id,
                    "pricelist_id": pricelist.id,
                    "date_start": self.start_of(number),
                    "sale_subscription_line_ids": [
                        Command.create({"product_id": product.id, **values})
                        for product, values in zip(
                            self.products, self.line_values(), strict=True
                        )
                    ],
                }
                for number, partner in enumerate(self.partners)
            ]
        )
        # starting one sets its dates to today
        subscriptions.action_start_subscription()
        for number, subscription in enumerate(subscriptions):
            subscription.write(
                {
                    "date_start": self.start_of(number),
                    "recurring_next_date": self.start_of(number),
                }
            )
        self.subscriptions = subscriptions

    def line_values(self):
        return [{"product_uom_qty": q, "price_unit": p} for q, p in PLAIN_LINES]

    def invoice(self):
        super().invoice()
        if self.mode == "draft":
            self.post_drafts()


class SubscriptionOcaPosting(SubscriptionOca):
    """Its one way of posting by itself without sending: by way of a sales order."""

    mode = "sale_and_invoice"


class SubscriptionOcaVariable(SubscriptionOca):
    """It has no usage: somebody writes the quantities, and that is not timed."""

    def line_values(self):
        return [{"product_uom_qty": 1, "price_unit": p} for p in usage.UNIT_PRICES]

    def prepare(self, day, numbers):
        for number in numbers:
            lines = self.subscriptions[number].sale_subscription_line_ids
            for line, units in zip(lines, self.quantities(number, day), strict=True):
                line.product_uom_qty = units


class SubscriptionOcaVariablePosting(SubscriptionOcaVariable):
    mode = "sale_and_invoice"


SIDES = {
    "drop_in": DropIn,
    "metered": Metered,
    "contract": Contract,
    "contract_variable": ContractVariable,
    "subscription_oca": SubscriptionOca,
    "subscription_oca_posting": SubscriptionOcaPosting,
    "subscription_oca_variable": SubscriptionOcaVariable,
    "subscription_oca_variable_posting": SubscriptionOcaVariablePosting,
}
