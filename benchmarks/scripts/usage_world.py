"""Subscriptions with three charges and their usage, many, for what rating reads.

A pattern of each kind of subscription is made and invoiced by Odoo; the others are
copies of its rows, with customer, invoices and ledger. Events are made by PostgreSQL.
"""

from datetime import datetime, time

from dateutil.relativedelta import relativedelta

from odoo import fields

from benchmarks.scripts.clones import Cloner
from benchmarks.scripts.invoicing_data import Metered
from benchmarks.support import usage

DAYS_IN = 10  # of the open window are over
BILLED = 150  # units of each metric in each window that was invoiced

# relation table, its column, the table that this refers to
LINKS = (
    ("account_tax_sale_order_line_rel", "sale_order_line_id", "sale_order_line"),
    ("account_move_line_account_tax_rel", "account_move_line_id", "account_move_line"),
    ("sale_order_line_invoice_rel", "order_line_id", "sale_order_line"),
)

# In the order in which apps send: each hour something of everybody, so that the events
# of one subscription lie far apart in the table. Keys are random, as those of apps.
FILL = """
    INSERT INTO fusion_billing_usage
           (service_id, subscription_id, metric_id, quantity, period_start, period_end,
            idempotency_key, fingerprint, unallocated, received_at)
    SELECT %(service)s, (%(orders)s::int[])[1 + i %% %(count)s],
           (%(metrics)s::int[])[1 + i / %(count)s %% %(metric_count)s],
           (1000 + floor(random() * 20000))::numeric / 1000, moment, moment,
           md5('key ' || i), md5(i::text), false, moment
      FROM (SELECT i, date_trunc('second', %(begin)s::timestamp
                      + (%(end)s::timestamp - %(begin)s::timestamp)
                        * (i::float8 / %(events)s)) AS moment
              FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) i) numbered
"""


class UsageWorld(Metered):
    """One pattern for each number of windows that were invoiced, and their copies."""

    def __init__(self, env, args, windows):
        """:param windows: for each pattern, how many windows were invoiced"""
        super().__init__(env, {**args, "size": len(windows), "slices": 1})
        self.windows = windows
        self.today = fields.Date.today()

    def start_of(self, number):
        months = self.windows[number]
        return self.today - relativedelta(months=months, days=DAYS_IN)

    def order_values(self, number):
        first_end = self.start_of(number) + relativedelta(months=1)
        return super().order_values(number) | {"next_invoice_date": first_end}

    def set_up(self):
        super().set_up()
        for number, windows in enumerate(self.windows):
            for _ in range(windows):
                self.bill(number)

    def bill(self, number):
        """Use each metric in the open window of a pattern, and invoice that."""
        order = self.orders[number]
        moment = f"{order.last_invoice_date or order.start_date}T12:00:00Z"
        results = self.env["fusion.billing.usage"]._ingest(
            self.service,
            [
                {
                    "subscription_external_id": order.fc_external_id,
                    "metric_code": code,
                    "quantity": BILLED,
                    "period_start": moment,
                    "period_end": moment,
                }
                for code in usage.METRICS
            ],
        )
        if any(result.status != "accepted" for result in results):
            raise RuntimeError(f"usage was not accepted: {results}")
        order._create_invoices().action_post()

    def copy(self, number, count):
        """Have `count` more subscriptions like a pattern; returns their ids in order.

        Their external ids are NUMBER-1, NUMBER-2 and so on.
        """
        cr, order = self.env.cr, self.orders[number]
        self.env.flush_all()
        cloner = Cloner(cr, count)
        name = f"'{number}-' || m.number"
        moves = order.invoice_ids
        links = self.env["fusion.billing.account.link"].search(
            [("partner_id", "=", order.partner_id.id)]
        )
        cloner.rows("res_partner", order.partner_id.ids, ref=name)
        cloner.rows("fusion_billing_account_link", links.ids, external_id=name)
        cloner.rows("sale_order", order.ids, name=name, fc_external_id=name)
        cloner.rows("sale_order_line", order.order_line.ids)
        if moves:
            cloner.rows("account_move", moves.ids, name="t.name || '-' || m.number")
            cloner.rows("account_move_line", moves.line_ids.ids)
            for table, column, to in LINKS:
                cloner.links(table, column, to)
        windows = order.fc_window_ids
        cloner.rows("fusion_billing_window", windows.ids)
        cloner.rows("fusion_billing_window_charge", windows.agreement_ids.ids)
        cloner.rows("fusion_billing_rating", windows.rating_ids.ids)
        cr.execute(
            "SELECT new FROM clones_sale_order WHERE old = %s ORDER BY number",
            [order.id],
        )
        ids = [order_id for [order_id] in cr.fetchall()]
        self.env.invalidate_all()
        return ids

    def begin_of_window(self):
        """When the open window of all of them began (naive UTC)."""
        return self.orders[0]._fc_window().start

    def fill(self, orders, begin, first, last, total):
        """Make events `first` to `last` of `total`, of these subscriptions in turn.

        :param begin: when the first of the total begins; the last ends today
        """
        # Looked up: the database may be a copy of the one they were made in.
        service = self.env["fusion.billing.service"].search([])
        metrics = self.env["fusion.billing.metric"].search(
            [("code", "in", usage.METRICS)]
        )
        self.env.cr.execute("SELECT setseed(%s)", [(self.seed + first) % 1000 / 1000])
        self.env.cr.execute(
            FILL,
            {
                "service": service.id,
                "orders": orders,
                "count": len(orders),
                "metrics": metrics.ids,
                "metric_count": len(metrics),
                "begin": begin,
                "end": datetime.combine(self.today, time()),
                "events": total,
                "first": first,
                "last": last,
            },
        )
