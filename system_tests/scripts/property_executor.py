"""Plays programs of the property tests on a real database: see property_driver.py.

Listens on the Unix socket `args["socket"]`; a JSON value a line, one answer to each.
"begin" starts over: all that came before is rolled back. "commit" keeps it for good.
"verdict" asks the audit and benchmarks/oracle.py. Anything else is a step:
a transaction, which is committed (a savepoint here), refused, or crashes at a named
point. The answer says what the step has set off, and what the database holds then.
"""

import contextlib
import json
import runpy
import socket
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command

BEGIN = datetime(2026, 1, 10, 12)
POINTS = runpy.run_path(Path(__file__).parents[1] / "crash_points.py")["POINTS"]
LEDGER = """
    SELECT r.subscription_id, m.code, r.window_start,
           (array_agg(r.quantity::text ORDER BY r.revision DESC))[1],
           coalesce(sum(r.amount) FILTER (WHERE r.state = 'invoiced'), 0)::text,
           coalesce(sum(r.amount) FILTER (WHERE r.state = 'open'), 0)::text
      FROM fusion_billing_rating r JOIN fusion_billing_metric m ON m.id = r.metric_id
     WHERE r.subscription_id = ANY(%s) GROUP BY 1, 2, 3
"""
FLAGS = """
    SELECT u.subscription_id, m.code, u.idempotency_key,
           CASE WHEN u.voided_at IS NOT NULL THEN 'voided'
                WHEN u.unallocated THEN 'unallocated' ELSE 'allocated' END
      FROM fusion_billing_usage u JOIN fusion_billing_metric m ON m.id = u.metric_id
     WHERE u.subscription_id = ANY(%s)
"""
LINES = """
    SELECT l.order_id, m.code, l.price_unit::text
      FROM sale_order_line l
      JOIN fusion_billing_charge c ON c.id = l.fc_charge_id
      JOIN fusion_billing_metric m ON m.id = c.metric_id
     WHERE l.order_id = ANY(%s)
"""
MOVES = """
    SELECT v.id, v.state, v.move_type, m.code,
           sum(CASE v.move_type WHEN 'out_refund' THEN -l.price_subtotal
                                ELSE l.price_subtotal END)::text
      FROM account_move v
      LEFT JOIN account_move_line l
             ON l.move_id = v.id AND l.display_type = 'product'
      LEFT JOIN fusion_billing_charge c ON c.product_id = l.product_id
      LEFT JOIN fusion_billing_metric m ON m.id = c.metric_id
     GROUP BY v.id, m.code
"""


class Crash(BaseException):
    """The process is gone: nothing that is caught as a mere error."""


class Executor:
    def __init__(self, env):
        self.env = env(context=dict(env.context, tracking_disable=True))
        Order = self.env["sale.order"]
        self.orders = Order.search([("fc_external_id", "in", ("a", "b"))], order="id")
        self.name = {order.id: order.fc_external_id for order in self.orders}
        self.service = self.orders.fc_service_id
        self.charges = {
            charge.metric_id.code: charge
            for charge in self.env["fusion.billing.charge"].search([])
        }
        oracle = Path(__file__).parents[2] / "benchmarks" / "oracle.py"
        self.oracle = runpy.run_path(oracle)["Oracle"]
        self.clock = freeze_time(BEGIN).start()
        self.repriced = False  # whether caches know prices that will be rolled back
        self.watch()

    # -- what happens inside -----------------------------------------------------

    def watch(self):
        """Note what is invoiced and posted, in its order; commit nothing."""
        env, executor = self.env, self
        Order, Move = type(env["sale.order"]), type(env["account.move"])
        create_invoices, post = Order._create_invoices, Move._post

        def _create_invoices(orders, *args, **kwargs):
            subscriptions = orders & executor.orders
            dates = {order.id: executor.dates(order) for order in subscriptions}
            due = {
                order.id: bool(
                    order._is_period_due() or order.env.context.get("fc_last_usage")
                )
                for order in subscriptions
            }
            moves = create_invoices(orders, *args, **kwargs)
            number_of = {
                line.order_id.id: executor.number(move)
                for move in moves
                for line in move.invoice_line_ids.sale_line_ids
            }
            made = {
                executor.name[key]: [value, number_of.get(key), due[key]]
                for key, value in dates.items()
            }
            executor.trace.append(["made", made])
            return moves

        def _post(moves, *args, **kwargs):
            begin = len(executor.trace)
            for move in moves:
                executor.trace.append(["posted", executor.number(move)])
            try:
                return post(moves, *args, **kwargs)
            except Exception:
                del executor.trace[begin:]
                raise

        Order._create_invoices, Move._post = _create_invoices, _post
        Cron = type(env["ir.cron"])
        Cron._commit_progress = lambda self, *_args, **_kwargs: 3600.0

    def number(self, move):
        """Moves are known by the order in which they were made."""
        if move.id not in self.moves:
            self.moves.append(move.id)
        return self.moves.index(move.id)

    def crash_at(self, point):
        model, method, when = POINTS[point]
        original = getattr(type(self.env[model]), method)

        def crash(records, *args, **kwargs):
            if when == "after":
                original(records, *args, **kwargs)
            raise Crash

        return patch.object(type(self.env[model]), method, crash)

    # -- programs ----------------------------------------------------------------

    def begin(self):
        self.env.cr.rollback()
        if self.repriced:
            self.env.registry.clear_cache()
        self.repriced = False
        self.clock.move_to(BEGIN)
        self.moves, self.trace = [], []
        for move in self.env["account.move"].search([], order="id"):
            self.number(move)
        self.kept = self.env.cr.savepoint()
        metrics = self.env["fusion.billing.metric"].search([])
        return {
            "now": BEGIN.isoformat(),
            "tz": self.env.company.fc_billing_tz,
            "tolerance": self.env.company.fc_future_tolerance_hours,
            "kinds": {metric.code: metric.aggregation for metric in metrics},
            "terms": {
                code: self.terms(charge) for code, charge in self.charges.items()
            },
            "subs": {self.name[o.id]: self.dates(o) for o in self.orders},
            "points": list(POINTS),
        }

    def terms(self, charge):
        return {
            "model": charge.charge_model,
            "quota": str(charge.included_quota),
            "price": str(charge.price_per_unit),
            "batch": str(charge.unit_batch),
            "minimum": str(charge.minimum_amount),
            "tiers": [
                [
                    str(t.up_to) if t.up_to else None,
                    str(t.price_per_unit),
                    str(t.flat_fee),
                ]
                for t in charge.tier_ids
            ],
        }

    def step(self, crash, name, *args):
        """Do one step; what it answers is in the head of this file."""
        self.trace, answer, known = [], {}, list(self.moves)
        refused, crashed = None, False
        try:
            if crash:
                with self.crash_at(crash):
                    answer = getattr(self, f"do_{name}")(*args) or {}
            else:
                answer = getattr(self, f"do_{name}")(*args) or {}
            self.env.flush_all()
        except Crash:
            crashed = True
        except UserError as error:
            refused = str(error)
        if crashed or refused:
            self.moves, self.trace = known, []
            self.kept.rollback()
            if name == "price":
                self.env.registry.clear_cache()
        else:
            self.kept.close(rollback=False)
            self.kept = self.env.cr.savepoint()
        return {
            "now": fields.Datetime.now().isoformat(),
            "refused": refused,
            "crashed": crashed,
            "trace": self.trace,
            "subs": {self.name[o.id]: self.dates(o) for o in self.orders},
            **self.rated(eagerly=name != "rate" or crashed),
            **answer,
        }

    # -- steps -------------------------------------------------------------------

    def do_wait(self, hours):
        self.clock.move_to(fields.Datetime.now() + timedelta(hours=hours))

    def do_usage(self, events, atomic):
        raw = [
            {
                "subscription_external_id": sub,
                "metric_code": metric,
                "idempotency_key": key,
                "quantity": quantity,
                "period_start": start,
                "period_end": start,
                **({"unique_key": unique} if unique else {}),
            }
            for sub, metric, key, quantity, start, unique in events
        ]
        answer = self.service._api_record_usage({"events": raw, "atomic": atomic})
        return {"results": [self.word(result) for result in answer["results"]]}

    def word(self, result):
        if result.get("unallocated"):
            return "unallocated"
        return "voided duplicate" if result.get("voided") else result["status"]

    def do_void(self, sub, metric, key):
        answer = self.service._api_void_usage(
            {
                "reason": "sent by mistake",
                "events": [
                    {
                        "subscription_external_id": sub,
                        "metric_code": metric,
                        "idempotency_key": key,
                    }
                ],
            }
        )
        return {"results": [result["status"] for result in answer["results"]]}

    def do_rate(self):
        self.env["sale.order"]._cron_fc_rate_usage()

    def do_invoice(self):
        self.env["sale.order"]._cron_recurring_create_invoice()

    def do_draft(self, sub):
        order = self.order(sub).with_context(raise_if_nothing_to_invoice=False)
        order._create_invoices(final=True)

    def do_extra(self, sub):
        """Invoice something that is no part of the subscription."""
        chair = self.env["product.product"].search([("name", "=", "Chair")])
        order = self.order(sub)
        order.order_line = [Command.create({"product_id": chair.id})]
        order._create_invoices()

    def do_price(self, metric, terms):
        self.repriced = True
        self.charges[metric].write(
            {
                "charge_model": terms["model"],
                "included_quota": float(terms["quota"]),
                "price_per_unit": float(terms["price"]),
                "unit_batch": float(terms["batch"]),
                "minimum_amount": float(terms.get("minimum", 0)),
                "tier_ids": [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                "up_to": float(up_to or 0),
                                "price_per_unit": float(price),
                                "flat_fee": float(fee),
                            }
                        )
                        for up_to, price, fee in terms.get("tiers", ())
                    ),
                ],
            }
        )

    def do_pause(self, sub):
        self.order(sub).pause_subscription()

    def do_resume(self, sub):
        self.order(sub).set_open()  # also of what was closed

    def do_close(self, sub):
        self.order(sub).set_close()

    def do_post(self, number):
        self.move(number).action_post()

    def do_reset(self, number):
        self.move(number).button_draft()

    def do_cancel(self, number):
        move = self.move(number)
        if move.state == "posted":
            move.button_draft()
        move.button_cancel()

    def do_delete(self, number):
        self.move(number).unlink()

    def do_drop(self, number):
        products = [charge.product_id.id for charge in self.charges.values()]
        self.move(number).invoice_line_ids.filtered(
            lambda line: line.product_id.id in products
        ).unlink()

    def do_credit(self, number, again, modify):
        move = self.move(number)
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "reason": "by test"})
        )
        before = move.reversal_move_ids
        wizard.modify_moves() if modify else wizard.refund_moves()
        credit = move.reversal_move_ids - before
        self.number(credit)
        if not modify:
            credit.fc_bill_again = again
            credit.action_post()

    def order(self, sub):
        return self.orders.filtered(lambda order: order.fc_external_id == sub)

    def move(self, number):
        return self.env["account.move"].browse(self.moves[number])

    # -- what there is then --------------------------------------------------------

    def dates(self, order):
        first = order.last_invoice_date or order.start_date
        return {
            "first": first.isoformat(),
            "next": order.next_invoice_date.isoformat(),
            "state": order.subscription_state,
        }

    def rated(self, eagerly):
        """What the database comes to, rated up to now, or as the job has left it."""
        if eagerly:
            keep = self.env.cr.savepoint()
            self.orders._fc_rate_usage()
        else:
            # The job leaves alone what is paused.
            for order in self.orders:
                if order.subscription_state == "4_paused":
                    order._fc_rate_usage()
        self.env.flush_all()
        answer = {"state": self.read()}
        if eagerly:
            keep.close(rollback=True)
        return answer

    def read(self):
        ids, query = self.orders.ids, self.env.cr
        query.execute(LEDGER, [ids])
        ledger = {
            f"{self.name[order]}|{code}|{start.isoformat()}": values
            for order, code, start, *values in query.fetchall()
        }
        query.execute(FLAGS, [ids])
        flags = {f"{self.name[o]}|{m}|{k}": flag for o, m, k, flag in query.fetchall()}
        query.execute(LINES, [ids])
        lines = {f"{self.name[o]}|{m}": amount for o, m, amount in query.fetchall()}
        query.execute(MOVES)
        found = {}
        for move_id, state, kind, code, amount in query.fetchall():
            _state, amounts, _kind = found.setdefault(move_id, [state, {}, kind])
            if code:
                amounts[code] = amount
        for move_id in sorted(found):
            if move_id not in self.moves:
                self.moves.append(move_id)
        moves = [found.get(move_id, ["gone", {}, None]) for move_id in self.moves]
        return {"ledger": ledger, "lines": lines, "flags": flags, "moves": moves}

    def verdict(self):
        """What the audit and benchmarks/oracle.py find, once all is rated (texts)."""
        self.orders._fc_rate_usage()
        self.env.flush_all()
        found = []
        self.oracle(self.env.cr._cnx, found.append).run()
        audit = self.env["fusion.billing.audit"]._run()
        violations = audit.finding_ids.filtered(lambda f: not f.is_note)
        found += [f"{f.invariant}: {f.message}" for f in violations]
        found += [r.error for r in audit.result_ids if r.error]
        return found


def serve(executor, path):
    """Answer one driver after the other, until the process is ended."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    while True:
        connection, _address = listener.accept()
        # A driver that is stopped in the middle leaves the socket to the next one.
        with contextlib.suppress(ConnectionError), connection:
            converse(executor, connection.makefile("rw", encoding="utf-8"))


def converse(executor, stream):
    for line in stream:
        request = json.loads(line)
        if request == "begin":
            answer = executor.begin()
        elif request == "verdict":
            answer = executor.verdict()
        elif request == "commit":
            answer = executor.env.cr.commit()
        else:
            answer = executor.step(*request)
        stream.write(json.dumps(answer) + "\n")
        stream.flush()


serve(Executor(env), args["socket"])  # noqa: F821 (both are given by the shell)
