"""Delivers webhooks to a receiver on this machine, and posts the same in a bare loop.

Runs in `odoo shell`. `args`: `port` and `ca` of the receiver, `healthy` (services that
it answers), `address` and `key` of who tells it what to do, `repo`.
"""

import http.client
import resource
import ssl
import sys
import time
from datetime import datetime, timezone
from unittest.mock import patch

sys.path.append(args["repo"])  # noqa: F821 (given by the shell)

from odoo.addons.fusion_centralized_billing.engine.webhook import signing
from odoo.addons.fusion_centralized_billing.models.base import server_options

from benchmarks.scripts.serving import serve

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class Worker:
    def __init__(self, env, args):
        self.env = env
        self.port = args["port"]
        options = {
            "webhook_allow": f"localhost:{self.port}",
            "webhook_ca_file": args["ca"],
        }
        patch.object(
            server_options, "get", lambda name, _default="": options.get(name, "")
        ).start()
        self.last_kept = 0  # the id of the last event that stays in the table
        self.context = ssl.create_default_context(cafile=args["ca"])
        names = [f"healthy-{n}" for n in range(args["healthy"])] + ["never"]
        self.services = env["fusion.billing.service"].create(
            [
                {
                    "name": name,
                    "code": name,
                    "webhook_url": f"https://localhost:{self.port}/{name}",
                    "webhook_secret": SECRET,
                }
                for name in names
            ]
        )
        env.cr.commit()

    def fill(self, count):
        """Put so many events there that were delivered, an attempt with each."""
        self.clear()
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_webhook
                   (service_id, event_id, event_type, payload, state, attempts,
                    next_attempt_at, first_attempt_at, sent_at, last_status,
                    create_date)
            SELECT service, 'evt_' || md5(n::text), 'webhook.test', repeat('x', 500),
                   'sent', 1, day, day, day, 204, day
              FROM generate_series(1, %(count)s) n,
                   LATERAL (SELECT (%(services)s)[1 + n %% %(number)s] AS service,
                                   now() AT TIME ZONE 'UTC'
                                   - n * interval '1 day' / %(count)s AS day) x
            """,
            {
                "count": count,
                "services": self.services.ids,
                "number": len(self.services),
            },
        )
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_webhook_attempt
                   (webhook_id, service_id, started_at, duration_ms, result, status)
            SELECT id, service_id, sent_at, 20, 'delivered', 204
              FROM fusion_billing_webhook
            """
        )
        self.env.cr.execute("SELECT max(id) FROM fusion_billing_webhook")
        [self.last_kept] = self.env.cr.fetchone()
        self.env.cr.commit()
        return {}

    def clear(self):
        """Leave nothing of what was delivered, but for what it is filled with."""
        if self.last_kept:
            self.env.cr.execute(
                "DELETE FROM fusion_billing_webhook WHERE id > %s", [self.last_kept]
            )
        else:
            self.env.cr.execute("TRUNCATE fusion_billing_webhook CASCADE")

    def enqueue(self, count, never):
        """Have every service told so many things; `never` of the one that is mute."""
        self.clear()
        *healthy, mute = self.services
        data = {"subscription_id": None, "text": "x" * 300}
        self.env["fusion.billing.webhook"]._enqueue_all(
            [(mute, "webhook.test", data)] * never
            + [(service, "webhook.test", data) for service in healthy] * count
        )
        mute._webhook_heard([])
        mute.write({"webhook_paused_until": False, "webhook_failures": 0})
        self.env.cr.commit()
        self.env.cr.execute("ANALYZE fusion_billing_webhook")
        self.env.cr.commit()

    def deliver(self, count, never=0):
        """Deliver them; returns seconds until the healthy were all told, and when
        each was, in seconds after the beginning."""
        self.enqueue(count, never)
        started = time.monotonic()
        begin = datetime.now(timezone.utc).replace(tzinfo=None)
        self.env["fusion.billing.webhook"]._cron_deliver()
        whole = time.monotonic() - started
        self.env.cr.commit()
        self.env.cr.execute(
            """
            SELECT extract(epoch FROM a.started_at - %s)::float
                   + a.duration_ms::float / 1000
              FROM fusion_billing_webhook_attempt a
              JOIN fusion_billing_service s ON s.id = a.service_id
             WHERE s.code != 'never' AND a.result = 'delivered' AND a.webhook_id > %s
            """,
            [begin, self.last_kept],
        )
        return {
            "seconds": whole,
            "delays": [delay for [delay] in self.env.cr.fetchall()],
            "memory_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }

    def loop(self, count):
        """The same signed requests, one after the other, on one connection."""
        self.enqueue(count, 0)
        events = self.env["fusion.billing.webhook"].search([])  # it is not filled yet
        events = [(e.event_id, e.event_type, e.payload.encode()) for e in events]
        connection = http.client.HTTPSConnection(
            "localhost", self.port, context=self.context
        )
        started = time.monotonic()
        for event_id, event_type, body in events:
            headers = signing.delivery_headers(
                event_id, event_type, body, [SECRET], int(time.time())
            )
            connection.request("POST", "/healthy-0", body, headers)
            response = connection.getresponse()
            response.read()
            assert response.status == 204
        return {"seconds": time.monotonic() - started, "count": len(events)}


serve(Worker(env, args), env, args)  # noqa: F821 (both are given by the shell)
