"""The other sides of the ingestion benchmark, and what all of them need.

Runs in `odoo shell`. `args`: `size` (subscriptions), `address` and `key` of who tells
it what to do, `repo`.
"""

import io
import sys
import time
from datetime import datetime, timedelta

from odoo import fields

sys.path.append(args["repo"])  # noqa: F821 (given by the shell)

from benchmarks.scripts.serving import serve
from benchmarks.support.usage import METRICS

USAGE = "fusion.billing.usage"
# What a row holds besides what the database gives it by itself.
COLUMNS = """
    SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
     WHERE table_name = 'fusion_billing_usage'
       AND column_name NOT IN ('id', 'idempotency_key')
"""
FOUND = """
    SELECT count(*), count(DISTINCT (subscription_id, metric_id)),
           trim_scale(sum(quantity))::text, min(period_start)::text,
           max(period_end)::text
      FROM fusion_billing_usage WHERE idempotency_key LIKE %s
"""


class Worker:
    def __init__(self, env, args):
        self.env = env
        self.size = args["size"]

    def set_up(self):
        """Make metrics and subscriptions; returns the keys to come in with."""
        env = self.env
        service = env["fusion.billing.service"].create(
            {"name": "Sample App", "code": "sample-app"}
        )
        env["fusion.billing.metric"].create(
            [{"name": name, "code": name} for name in METRICS]
        )
        partners = env["res.partner"].create(
            [{"name": f"Customer {number}"} for number in range(self.size)]
        )
        env["fusion.billing.account.link"].create(
            [
                {
                    "service_id": service.id,
                    "external_id": f"account-{number}",
                    "partner_id": partner.id,
                }
                for number, partner in enumerate(partners)
            ]
        )
        today = fields.Date.today()
        orders = env["sale.order"].create(
            [
                {
                    "partner_id": partner.id,
                    "plan_id": env.ref("sale_subscription.subscription_plan_month").id,
                    "start_date": today - timedelta(days=20),
                    "next_invoice_date": today + timedelta(days=8),
                    "fc_service_id": service.id,
                    "fc_external_id": f"subscription-{number}",
                }
                for number, partner in enumerate(partners)
            ]
        )
        orders.action_confirm()
        self.allow_creation()
        keys = {
            "ours": service.action_generate_api_key(),
            "json2": env["res.users.apikeys"]
            .with_user(env.ref("base.user_root"))
            ._generate(None, "benchmark", datetime.now() + timedelta(days=1)),
        }
        env.cr.commit()
        return keys

    def allow_creation(self):
        """Events come in by the API alone: nobody else creates one. Here the superuser
        signs in, so that Odoo's own API has something to be compared by."""
        root = self.env.ref("base.user_root")
        self.env.cr.execute(
            "UPDATE res_users SET active = true WHERE id = %s", root.ids
        )
        root.invalidate_recordset()

    def copy(self, source, target):
        """COPY the rows whose keys begin with `source` once more.

        :param target: what the keys of the new rows begin with
        :return: seconds it took to write and commit them
        """
        cr = self.env.cr
        cr.execute(COLUMNS)
        columns = cr.fetchone()[0]
        rows = io.StringIO()
        cr._obj.copy_expert(
            f"""
            COPY (SELECT {columns}, '{target}' || substr(idempotency_key, 2)
                    FROM fusion_billing_usage
                   WHERE idempotency_key LIKE '{source}%' ORDER BY id) TO STDOUT
            """,
            rows,
        )
        cr.commit()
        rows.seek(0)
        start = time.perf_counter()
        cr._obj.copy_expert(
            f"COPY fusion_billing_usage ({columns}, idempotency_key) FROM STDIN", rows
        )
        cr.commit()
        return time.perf_counter() - start

    def values(self, source, target, limit=None):
        """Values for `create` that make the rows of `source` once more."""
        self.env.cr.execute(
            """
            SELECT service_id, subscription_id, metric_id, quantity::float8 AS quantity,
                   period_start::text AS period_start, period_end::text AS period_end,
                   fingerprint, unallocated, received_at::text AS received_at,
                   %s || substr(idempotency_key, 2) AS idempotency_key
              FROM fusion_billing_usage
             WHERE idempotency_key LIKE %s ORDER BY id LIMIT %s
            """,
            [target, f"{source}%", limit],
        )
        values = self.env.cr.dictfetchall()
        self.env.cr.commit()
        return values

    def search_and_create(self, source, target, limit):
        """What a loop over the events does: look whether one is there, create it.

        :return: seconds for `limit` of them
        """
        values = self.values(source, target, limit)
        model = self.env[USAGE].sudo()
        self.env.invalidate_all()
        start = time.perf_counter()
        for row in values:
            scope = ("subscription_id", "metric_id", "idempotency_key")
            if not model.search([(name, "=", row[name]) for name in scope], limit=1):
                model.create(row)
        self.env.cr.commit()
        return time.perf_counter() - start

    def found(self, prefix):
        """What is stored under keys that begin so."""
        self.env.cr.execute(FOUND, [f"{prefix}%"])
        row = self.env.cr.fetchone()
        self.env.cr.commit()
        return row


serve(Worker(env, args), env, args)  # noqa: F821 (both are given by the shell)
