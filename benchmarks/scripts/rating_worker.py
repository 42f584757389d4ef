"""Both sides of the rating benchmark, and the subscriptions they rate.

Runs in `odoo shell`. `args`: `size` (subscriptions with usage lines), `new` (those
without), `warm` (of each, for the warm-up), `events`, `seed`, `address` and `key` of
who tells it what to do, `repo`.
"""

import hashlib
import os
import sys
from datetime import timedelta

sys.path.append(args["repo"])  # noqa: F821 (given by the shell)

from benchmarks.scripts import timing
from benchmarks.scripts.serving import serve
from benchmarks.scripts.usage_world import UsageWorld

CRON = "fusion_centralized_billing.cron_rate_usage"
BATCH = 500  # subscriptions; what our job commits together
EVENTS_A_REQUEST = 1000
LATE_EVENTS = 10  # of each subscription that has new usage

# Which subscription belongs to which part: "with" or "without" lines, "warm" ones.
PARTS = "CREATE TABLE bench_part (order_id int PRIMARY KEY, part text, position int)"

# The queue as requests of 1,000 events each leave it: a row for each subscription in
# each of them.
QUEUE = """
    INSERT INTO fusion_billing_rating_queue (subscription_id, since, recheck)
    SELECT u.subscription_id, min(u.period_start), false
      FROM fusion_billing_usage u
      JOIN bench_part p ON p.order_id = u.subscription_id AND p.part = %s
      JOIN sale_order o ON o.id = u.subscription_id
     WHERE u.period_start >= o.last_invoice_date::timestamp
        OR o.last_invoice_date IS NULL
     GROUP BY u.subscription_id, u.id / %s
     ORDER BY min(u.id)
"""

# The whole of what has been used, and its price, in one statement.
SUMS = """
    SELECT u.subscription_id, c.id, c.product_id, max(m.name->>'en_US'), max(l.id),
           trim_scale(sum(u.quantity))::text,
           round(greatest(sum(u.quantity) - c.included_quota, 0) * c.price_per_unit
                 / c.unit_batch, 2)::text
      FROM bench_part p
      JOIN fusion_billing_usage u ON u.subscription_id = p.order_id
      JOIN fusion_billing_metric m ON m.id = u.metric_id
      JOIN sale_order o ON o.id = p.order_id
      JOIN fusion_billing_charge c
        ON c.metric_id = u.metric_id AND c.plan_id = o.plan_id
      LEFT JOIN sale_order_line l ON l.order_id = o.id AND l.fc_charge_id = c.id
     WHERE p.part = %s AND u.voided_at IS NULL AND u.period_start >= %s
     GROUP BY u.subscription_id, c.id, c.product_id, c.included_quota,
              c.price_per_unit, c.unit_batch
     ORDER BY u.subscription_id, c.id
"""

LINES = """
    SELECT l.order_id, l.fc_charge_id, trim_scale(l.price_unit::numeric)::text,
           o.amount_untaxed::text
      FROM bench_part p
      JOIN sale_order o ON o.id = p.order_id
      JOIN sale_order_line l ON l.order_id = o.id AND l.fc_charge_id IS NOT NULL
     WHERE p.part = %s ORDER BY 1, 2
"""
LEDGER = """
    SELECT r.subscription_id, r.charge_id, trim_scale(r.quantity)::text,
           trim_scale(r.amount)::text
      FROM bench_part p
      JOIN fusion_billing_rating r ON r.subscription_id = p.order_id
     WHERE p.part = %s AND r.state = 'open' ORDER BY 1, 2
"""


class Worker:
    def __init__(self, env, args):
        self.env = env
        self.args = args
        self.sums = []

    def set_up(self):
        """Make the subscriptions and their usage; the others start from copies."""
        args, cr = self.args, self.env.cr
        world = UsageWorld(self.env, args, windows=(1, 0))
        world.set_up()
        cr.execute(PARTS)
        begin = world.begin_of_window()
        each = args["events"] // args["size"]
        for number, part in enumerate(("with", "without")):
            count = args["size"] if part == "with" else args["new"]
            orders = world.copy(number, count + args["warm"])
            for name, chosen in (
                (part, orders[:count]),
                (f"warm {part}", orders[count:]),
            ):
                cr.execute(
                    "INSERT INTO bench_part"
                    " SELECT o, %s, n FROM unnest(%s) WITH ORDINALITY x(o, n)",
                    [name, chosen],
                )
                events = each * len(chosen)
                world.fill(chosen, begin, 0, events, events)
        cr.execute("DELETE FROM fusion_billing_rating_queue")
        cr.execute("CREATE TABLE bench_begin AS SELECT %s::timestamp AS begin", [begin])
        cr.commit()

    def pid(self):
        return os.getpid()

    def queue(self, part):
        """Have a part rated, as ingestion would; returns how many rows wait."""
        self.env.cr.execute(QUEUE, [part, EVENTS_A_REQUEST])
        count = self.env.cr.rowcount
        self.env.cr.commit()
        return count

    def use_more(self, part, step):
        """Record new usage of each `step`th subscription of a part."""
        self.env.cr.execute(
            """
            WITH new AS (
                INSERT INTO fusion_billing_usage
                       (service_id, subscription_id, metric_id, quantity, period_start,
                        period_end, idempotency_key, fingerprint, unallocated,
                        received_at)
                SELECT o.fc_service_id, o.id, m.id, 1.5, b.begin + '1 day',
                       b.begin + '1 day', md5(random()::text), '', false, b.begin
                  FROM bench_part p
                  JOIN sale_order o ON o.id = p.order_id
                 CROSS JOIN bench_begin b
                 CROSS JOIN generate_series(1, %(events)s) n
                  JOIN fusion_billing_metric m
                    ON m.id = (SELECT array_agg(id ORDER BY id)
                                 FROM fusion_billing_metric)[1 + n %% 3]
                 WHERE p.part = %(part)s AND p.position %% %(step)s = 0
                RETURNING subscription_id, period_start)
            INSERT INTO fusion_billing_rating_queue (subscription_id, since, recheck)
            SELECT subscription_id, min(period_start), false FROM new
             GROUP BY subscription_id
            """,
            {"part": part, "step": step, "events": LATE_EVENTS},
        )
        count = self.env.cr.rowcount
        self.env.cr.commit()
        return count

    # -- ours ------------------------------------------------------------------

    def rate(self, profile=""):
        """Run the scheduled job as the scheduler does, until nothing waits."""
        cron = self.env.ref(CRON)
        with timing.measured(profile) as spent:
            while True:
                cron.method_direct_trigger()
                self.env.cr.commit()
                # one that took longer than a job may is put off by Odoo
                self.env.cr.execute("SELECT FROM fusion_billing_rating_queue LIMIT 1")
                if not self.env.cr.rowcount:
                    break
        self.env.cr.commit()
        return spent

    # -- the other side --------------------------------------------------------

    def sum_and_write(self, part, profile=""):
        """One statement for the sums; then, batch by batch, ORM writes of the lines.

        They are created where there is none.
        """
        cr = self.env.cr
        with timing.measured(profile) as spent:
            cr.execute("SELECT begin FROM bench_begin")
            [begin] = cr.fetchone()
            cr.execute(SUMS, [part, begin])
            self.sums = rows = cr.fetchall()
            text = f"{begin:%m/%d/%Y} to {begin + timedelta(days=30):%m/%d/%Y}"
            # as many lines as BATCH subscriptions have
            for start in range(0, len(rows), 3 * BATCH):
                self._write(rows[start : start + 3 * BATCH], text)
                cr.commit()
        return spent

    def _write(self, rows, text):
        """Write or create one batch of lines, and compute the orders' totals."""
        # What our side spares itself is spared here: messages in the chatter about
        # new totals and lines, and reading order by order.
        quiet = {"mail_notrack": True, "sale_no_log_for_new_lines": True}
        env = self.env(context=self.env.context | quiet)
        Line = env["sale.order.line"]
        orders = env["sale.order"].browse({row[0] for row in rows})
        orders.order_line.mapped("tax_ids")
        lines = {line.id: line for line in Line.browse([row[4] for row in rows])}
        to_create = []
        for order, charge, product, metric, line, quantity, amount in rows:
            vals = {
                "name": f"{metric}\n{quantity} from {text}",
                "price_unit": float(amount),
            }
            if line:
                lines[line].write(vals)
            else:
                to_create.append(
                    {
                        **vals,
                        "order_id": order,
                        "product_id": product,
                        "fc_charge_id": charge,
                        "product_uom_qty": 1.0,
                        "technical_price_unit": float(amount),
                    }
                )
        Line.create(to_create)
        orders.mapped("amount_total")
        env.flush_all()

    # -- what came of it -------------------------------------------------------

    def found(self, part, ledger):
        """Digests of what is stored: quantities and amounts, prices and totals.

        :param bool ledger: the quantities are in the ledger; else those just summed up
        """
        cr = self.env.cr
        cr.execute(LINES, [part])
        lines = cr.fetchall()
        if ledger:
            cr.execute(LEDGER, [part])
            sums = [tuple(map(str, row)) for row in cr.fetchall()]
        else:
            sums = [
                (str(order), str(charge), quantity, _trimmed(amount))
                for order, charge, *_rest, quantity, amount in self.sums
            ]
        cr.commit()
        return {
            name: [len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()[:16]]
            for name, rows in (("sums", sums), ("lines", lines))
        }


def _trimmed(amount):
    """An amount with two decimals as PostgreSQL's trim_scale writes it."""
    return amount.rstrip("0").rstrip(".")


serve(Worker(env, args), env, args)  # noqa: F821 (both are given by the shell)
