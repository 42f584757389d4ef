"""Makes a ledger as 19.0.1.3.0 has left it: tables, columns and rows of then.

In a database of today, whose clock stands on 1 March 2026. Prints the ids of the orders
by name.
"""

import json

from odoo.fields import Command

TABLES = """
    DROP TABLE fusion_billing_adjustment, fusion_billing_window_charge,
               fusion_billing_window CASCADE;
    ALTER TABLE fusion_billing_rating
      DROP COLUMN window_id, DROP COLUMN agreement_id, DROP COLUMN window_amount,
      DROP COLUMN amount_untaxed, DROP COLUMN line_price, DROP COLUMN counted,
      DROP COLUMN product_id, DROP COLUMN charge_currency_id, DROP COLUMN terms,
      DROP COLUMN rate_from, DROP COLUMN rate_to, DROP COLUMN discount,
      ADD CONSTRAINT fusion_billing_rating_revision_unique
          UNIQUE (subscription_id, charge_id, window_start, revision);
    CREATE UNIQUE INDEX fusion_billing_rating__one_open ON fusion_billing_rating
       (subscription_id, charge_id, window_start) WHERE state = 'open';
    ALTER TABLE sale_order
      DROP COLUMN fc_usage_discount, DROP COLUMN fc_billed_until,
      ADD COLUMN fc_settled_start timestamp, ADD COLUMN fc_settled_end timestamp,
      ADD COLUMN fc_settled_day date, ADD COLUMN fc_window_plan_id int4,
      ADD COLUMN fc_window_plan_day date;
    DELETE FROM fusion_billing_rating_queue;
    UPDATE ir_module_module SET latest_version = '19.0.1.3.0'
     WHERE name = 'fusion_centralized_billing'
"""
# What is in rows of their own today stood on the services.
ENDPOINTS = """
    ALTER TABLE fusion_billing_service
      ADD COLUMN webhook_url varchar, ADD COLUMN webhook_secret_encrypted varchar,
      ADD COLUMN webhook_previous_secret_encrypted varchar,
      ADD COLUMN webhook_previous_until timestamp,
      ADD COLUMN webhook_types_since timestamp, ADD COLUMN webhook_failures int4,
      ADD COLUMN webhook_failing_since timestamp,
      ADD COLUMN webhook_paused_until timestamp,
      ADD COLUMN webhook_disabled_at timestamp,
      ADD COLUMN webhook_disabled_reason varchar, ADD COLUMN webhook_asked_on date;
    UPDATE fusion_billing_service s
       SET webhook_url = e.webhook_url, webhook_failures = 3,
           webhook_secret_encrypted = e.webhook_secret_encrypted,
           webhook_types_since = e.webhook_types_since,
           webhook_disabled_reason = 'The receiver answered 410 Gone.',
           webhook_disabled_at = '2026-02-01 10:00:00'
      FROM fusion_billing_webhook_endpoint e WHERE e.id = s.webhook_endpoint_id;
    CREATE TABLE fusion_billing_service_fusion_billing_webhook_type_rel (
        fusion_billing_service_id int4 NOT NULL
            REFERENCES fusion_billing_service ON DELETE CASCADE,
        fusion_billing_webhook_type_id int4 NOT NULL
            REFERENCES fusion_billing_webhook_type ON DELETE CASCADE,
        PRIMARY KEY (fusion_billing_service_id, fusion_billing_webhook_type_id));
    INSERT INTO fusion_billing_service_fusion_billing_webhook_type_rel
    SELECT s.id, t.type_id
      FROM fusion_billing_webhook_endpoint_type t
      JOIN fusion_billing_service s ON s.webhook_endpoint_id = t.endpoint_id;
    ALTER TABLE fusion_billing_service DROP COLUMN webhook_endpoint_id;
    DROP TABLE fusion_billing_webhook_endpoint_type, fusion_billing_webhook_endpoint
"""
RATING = """
    INSERT INTO fusion_billing_rating
           (subscription_id, partner_id, company_id, charge_id, metric_id, window_start,
            window_end, revision, quantity, included, billable, amount, currency_id,
            explanation, state, invoice_line_id, invoice_id)
    SELECT o.id, o.partner_id, o.company_id, c.id, c.metric_id, %(start)s, %(end)s,
           %(revision)s, %(quantity)s, 0, 0, %(amount)s, o.currency_id,
           %(explanation)s, %(state)s, l.id, l.move_id
      FROM sale_order o
      JOIN fusion_billing_charge c ON c.id = %(charge)s
      LEFT JOIN account_move_line l ON l.id = %(line)s
     WHERE o.id = %(order)s
"""
DATES = """
    UPDATE sale_order
       SET start_date = %(start)s, last_invoice_date = %(last)s,
           next_invoice_date = %(next)s, fc_settled_start = %(settled_start)s,
           fc_settled_end = %(last)s, fc_settled_day = %(last)s
     WHERE id = %(order)s
"""
JAN, FEB, MAR, APR = "2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"
HALF = {"model": "standard", "quota": "100", "unit_price": "0.5", "unit_batch": "1"}
TWO = {"model": "standard", "quota": "0", "unit_price": "2", "unit_batch": "1"}


class OldLedger:
    def __init__(self, env):
        self.env = env
        if not env.company.chart_template:
            env["account.chart.template"].try_loading(
                "generic_coa", company=env.company, install_demo=False
            )
        self.service = env["fusion.billing.service"].create(
            {"name": "Old App", "code": "old-app", "webhook_secret": "a secret"}
        )
        kinds = ("invoice.posted", "rating.closed")
        Type = env["fusion.billing.webhook.type"]
        self.service.webhook_type_ids = Type.search([("code", "in", kinds)])
        self.service.webhook_url = "https://hooks.example.com/old"
        self.metric = env["fusion.billing.metric"].create(
            {"name": "Old calls", "code": "old_calls"}
        )
        self.product = self.make_product("Old usage")
        self.fee = self.make_product("Old fee")
        self.plan = env["sale.subscription.plan"].create(
            {"name": "Old plan", "billing_period_value": 1, "invoice_posting": "post"}
        )
        self.half = self.make_charge(0.5, 100)
        self.orders, self.rows, self.dates = {}, [], []

    def make_product(self, name):
        return self.env["product.product"].create(
            {
                "name": name,
                "type": "service",
                "invoice_policy": "order",
                "recurring_invoice": True,
                "list_price": 0.0,
                "taxes_id": [Command.clear()],
            }
        )

    def make_charge(self, price, quota, plan=None):
        return self.env["fusion.billing.charge"].create(
            {
                "plan_id": (plan or self.plan).id,
                "metric_id": self.metric.id,
                "product_id": self.product.id,
                "price_per_unit": price,
                "included_quota": quota,
                "unit_batch": 1,
            }
        )

    def order(self, name, last=MAR, next=APR, settled=FEB):
        """A subscription since January; its dates are written when all are made."""
        partner = self.env["res.partner"].create({"name": name})
        self.env["fusion.billing.account.link"].create(
            {
                "service_id": self.service.id,
                "external_id": name,
                "partner_id": partner.id,
            }
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "plan_id": self.plan.id,
                "start_date": JAN,
                "fc_service_id": self.service.id,
                "fc_external_id": name,
                "order_line": [Command.create({"product_id": self.fee.id})],
            }
        )
        order.action_confirm()
        self.orders[name] = order
        self.dates.append(
            {
                "order": order.id,
                "start": JAN,
                "last": last,
                "next": next,
                "settled_start": settled,
            }
        )
        return order

    def use(self, order, quantity, day):
        [result] = self.env["fusion.billing.usage"]._ingest(
            self.service,
            [
                {
                    "subscription_external_id": order.fc_external_id,
                    "metric_code": self.metric.code,
                    "quantity": quantity,
                    "period_start": f"{day}T06:00:00Z",
                    "period_end": f"{day}T06:00:00Z",
                }
            ],
        )
        if result.status != "accepted":
            raise RuntimeError(f"usage was not accepted: {result}")

    def invoice(self, order, *prices, **values):
        """The lines of a posted invoice, or of a credit note."""
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": order.partner_id.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "price_unit": price,
                            "tax_ids": [Command.clear()],
                        }
                    )
                    for price in prices
                ],
            }
            | values
        )
        move.action_post()
        return move.invoice_line_ids

    def rate(self, order, start, end, quantity, amount, line=None, **values):
        """A row of the ledger; ``total`` is what the window came to."""
        charge = values.get("charge", self.half)
        explanation = {
            **(HALF if charge == self.half else TWO),
            "quantity": str(quantity),
            "rounded": str(values.get("total", amount)),
            "currency": order.currency_id.name,
            **values.get("explanation", {}),
        }
        self.rows.append(
            {
                "order": order.id,
                "charge": charge.id,
                "start": start,
                "end": end,
                "revision": values.get("revision", 0),
                "quantity": quantity,
                "amount": amount,
                "explanation": json.dumps(explanation),
                "state": "invoiced" if line else "open",
                "line": line.id if line else None,
            }
        )

    # -- lives -----------------------------------------------------------------

    def make_plain(self):
        """One month was credited in part, one is open, with usage of it."""
        order = self.order("plain")
        for quantity, day in ((150, "2026-01-10"), (170, "2026-02-10"), (120, MAR)):
            self.use(order, quantity, day)
        line = self.invoice(order, 35.0)
        credit = self.invoice(
            order, 10.0, move_type="out_refund", reversed_entry_id=line.move_id.id
        )
        credit.fc_copied_from_id = line
        self.rate(order, JAN, FEB, 150, 25, self.invoice(order, 25.0))
        self.rate(order, FEB, MAR, 170, 35, line)
        self.rate(order, MAR, APR, 120, 10)

    def make_replaced(self):
        """A price took the place of another one in a window that was invoiced."""
        order = self.order("replaced", last=FEB, next=MAR, settled=JAN)
        self.use(order, 150, "2026-01-10")
        other = self.make_charge(2.0, 0, self.plan.copy())
        second, back = self.invoice(order, 300.0, -25.0)
        self.rate(order, JAN, FEB, 150, 25, self.invoice(order, 25.0))
        self.rate(order, JAN, FEB, 150, 300, second, charge=other)
        taken = {"superseded": True, "billed": "25", "billed_by": [0]}
        self.rate(order, JAN, FEB, 0, -25, back, revision=1, total=0, explanation=taken)

    def make_overlap(self):
        """Its dates were moved into a window that was invoiced, and both were."""
        order = self.order("overlap", last="2026-02-15", next="2026-03-15")
        self.dates[-1]["settled_start"] = "2026-01-15"
        self.use(order, 150, "2026-01-10")
        self.use(order, 130, "2026-01-20")
        self.rate(order, JAN, FEB, 150, 25, self.invoice(order, 25.0))
        second = self.invoice(order, 15.0)
        self.rate(order, "2026-01-15", "2026-02-15", 130, 15, second)

    def make_gap(self):
        """It was paused from February on, until March."""
        order = self.order("gap", settled=JAN)
        self.dates[-1]["settled_start"] = None
        self.use(order, 150, "2026-01-10")
        self.rate(order, JAN, FEB, 150, 25, self.invoice(order, 25.0))
        given_up = {"superseded": True}
        self.rate(order, "2026-02-10", MAR, 0, 0, explanation=given_up)


def main(env):
    ledger = OldLedger(env)
    ledger.make_plain()
    ledger.make_replaced()
    ledger.make_overlap()
    ledger.make_gap()
    env.flush_all()
    env.cr.execute(TABLES)
    env.cr.execute(ENDPOINTS)
    for dates in ledger.dates:
        env.cr.execute(DATES, dates)
    for row in ledger.rows:
        env.cr.execute(RATING, row)
    env.cr.execute(
        "UPDATE sale_order SET fc_settled_end = NULL, fc_settled_day = NULL"
        " WHERE fc_settled_start IS NULL"
    )
    env.cr.commit()
    print(json.dumps({name: order.id for name, order in ledger.orders.items()}))


main(env)  # noqa: F821 (given by the shell)
