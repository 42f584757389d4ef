"""Plays random programs on this database, and on the model: see system_tests/life.

Run by `python3 -m system_tests.life`, or by the tests. ``args``: count and seed (of the
first), without, steps, ignore, shorten, most (failures), orders (in how many others
each is played), program (one to play alone). Prints each that differs, and at last a
line of JSON. The database is left as it was.
"""

import contextlib
import json
import runpy
import sys
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time
from freezegun.api import real_perf_counter

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

REPO = Path(__file__).resolve().parents[2]
sys.path.append(str(REPO))

from system_tests.life.generator import program  # noqa: E402
from system_tests.life.odoo_books import Books  # noqa: E402
from system_tests.life.orders import BY_NUMBER  # noqa: E402
from system_tests.life.player import Player  # noqa: E402

POINTS = runpy.run_path(str(REPO / "system_tests" / "crash_points.py"))["POINTS"]


class Crash(BaseException):
    """The process is gone: nothing that is caught as a mere error."""


class Executor(Books):
    """What the steps are on Odoo: public methods, buttons and wizards."""

    def begin(self, config):
        env = self.env
        self.reset_moves()
        self.clock.move_to(datetime.fromisoformat(config["now"]))
        env.company.fc_billing_tz = config["zone"]
        self.plans["A"].invoice_posting = config["posting"]
        self.plans["B"].invoice_posting = config["posting"]
        self.charges = list(self.first_charges)
        order = env["sale.order"].create(
            {
                "partner_id": self.partners["first"].id,
                "plan_id": self.plans["A"].id,
                "pricelist_id": self.pricelists[config["currency"]].id,
                "start_date": config["start"],
                "fc_service_id": self.service.id,
                "order_line": [Command.create({"product_id": self.fee.id})],
            }
        )
        order.action_confirm()
        self.orders = [order]
        env.flush_all()

    def end(self):
        self.env.cr.rollback()
        self.env.registry.clear_cache()

    def do(self, now, step):
        """Do one step; returns why it was refused, if it was."""
        name, *args = step
        self.clock.move_to(now)
        try:
            with self.env.cr.savepoint():
                getattr(self, f"do_{name}")(*args)
                self.env.flush_all()
        except (UserError, ValidationError) as error:
            self.env.invalidate_all()
            return str(error)
        self.env.invalidate_all()
        return None

    # -- time and jobs -----------------------------------------------------------

    def now(self):
        return fields.Datetime.now()

    def do_wait(self, to):
        self.clock.move_to(max(datetime.fromisoformat(to), self.now()))

    do_next = do_wait

    def do_jobs(self, to):
        self.do_wait(to)
        orders = self.env["sale.order"].concat(*self.orders)
        orders._create_recurring_invoice(automatic=True)
        self.env["sale.order"]._cron_subscription_expiration()
        self.env["sale.order"]._cron_fc_rate_usage()

    def do_crash(self, to, place):
        """Run the jobs up to one of the points, and take all of it back."""
        model, method, when, *_count = list(POINTS.values())[place % len(POINTS)]
        cls = type(self.env[model])
        original = getattr(cls, method, None)

        def crash(records, *args, **kwargs):
            if when == "after":
                original(records, *args, **kwargs)
            raise Crash

        with contextlib.suppress(Crash), self.env.cr.savepoint():
            with patch.object(cls, method, crash, create=True):
                self.do_jobs(to)
            raise Crash

    def do_rate(self, to):
        self.do_wait(to)
        self.env["sale.order"]._cron_fc_rate_usage()

    def do_finance(self, number):
        self.orders[number].action_fc_invoice_open_usage()

    # -- usage -------------------------------------------------------------------

    def reference(self, key, metric):
        return {
            "subscription_external_id": str(self.orders[0].id),
            "metric_code": metric,
            "idempotency_key": key,
        }

    def do_usage(self, events):
        raw = [
            self.reference(key, metric)
            | {"quantity": quantity, "period_start": start, "period_end": start}
            for key, metric, quantity, start in events
        ]
        answer = self.service._api_record_usage({"events": raw})
        if answer["status"] != "ok":
            raise UserError(json.dumps(answer))

    do_repeat = do_usage

    def do_void(self, key, metric):
        answer = self.service._api_void_usage(
            {"reason": "counted twice", "events": [self.reference(key, metric)]}
        )
        if answer["status"] != "ok":
            raise UserError(json.dumps(answer))

    # -- life --------------------------------------------------------------------

    def do_pause(self, number):
        self.orders[number].pause_subscription()

    def do_resume(self, number):
        self.orders[number].resume_subscription()

    def do_close(self, number):
        self.orders[number].set_close()

    def do_reopen(self, number):
        self.orders[number].set_open()

    def do_plan(self, number, when, plan):
        timing = "now" if when == "now" else "next_period"
        self.orders[number].change_plan(self.plans[plan], timing)

    def do_end(self, number, day):
        self.orders[number].end_date = day

    def do_next_date(self, number, day):
        self.orders[number].next_invoice_date = day

    def do_start(self, number, day):
        self.orders[number].start_date = day

    def do_tz(self, zone):
        self.env.company.fc_billing_tz = zone

    def do_renew(self, number):
        action = self.orders[number].prepare_renewal_order()
        renewal = self.env["sale.order"].browse(action["res_id"])
        renewal.action_confirm()
        self.orders.append(renewal)

    def do_unrenew(self, number):
        self.orders.pop(number).action_cancel()

    def do_cancel_order(self, number):
        self.orders[number].action_cancel()

    def do_confirm(self, number, customer, currency):
        order, partner = self.orders[number], self.partners[customer]
        order.action_draft()
        order.write(
            {
                "partner_id": partner.id,
                "partner_invoice_id": partner.id,
                "partner_shipping_id": partner.id,
                "pricelist_id": self.pricelists[currency].id,
            }
        )
        order.action_confirm()

    # -- prices ------------------------------------------------------------------

    def do_rates(self, day, rate):
        euro = self.env.ref("base.EUR")
        known = euro.rate_ids.filtered(lambda r: str(r.name) == day)
        values = {"name": day, "rate": float(rate), "company_id": self.env.company.id}
        if known:
            known.write(values)
        else:
            euro.rate_ids.create({"currency_id": euro.id, **values})

    def do_discount(self, number, percent):
        self.orders[number].fc_usage_discount = float(percent)

    def do_edit(self, number, terms):
        self.charges[number].write(self.charge_values(terms))

    def do_archive(self, number):
        self.charges[number].action_archive()

    def do_add(self, plan, metric, terms):
        currency = self.currencies[terms.get("currency", "USD")]
        values = {
            "plan_id": self.plans[plan].id,
            "metric_id": self.metrics[metric].id,
            "product_id": self.products[metric].id,
            "currency_id": currency.id,
            "included_quota": 0,
            **self.charge_values(terms),
        }
        self.charges.append(self.env["fusion.billing.charge"].create(values))

    def do_replace(self, number, terms):
        old = self.charges[number]
        values = self.charge_values(terms)
        old.action_archive()
        self.charges.append(old.copy({"active": True, **values}))

    def do_go_live(self, number, terms, day):
        draft = self.env["fusion.billing.price.draft"].create(
            {"name": "New prices", "live_date": day}
        )
        values = {"active": False, "date_start": False, "date_end": False}
        charge = self.charges[number].copy(
            {"draft_id": draft.id, **values, **self.charge_values(terms)}
        )
        draft.action_go_live()
        self.charges.append(charge)

    # -- documents ---------------------------------------------------------------

    def do_post(self, number):
        self.move(number).action_post()

    def do_delete(self, number):
        self.move(number).unlink()

    def do_cancel(self, number):
        move = self.move(number)
        if move.state == "posted":
            move.button_draft()
        move.button_cancel()

    def do_reset(self, number):
        self.move(number).button_draft()

    def do_change(self, number, start, metric, price):
        line = self.line(number, start, metric)
        line.write({"price_unit": float(price), "discount": 0})

    def do_drop(self, number):
        self.usage_lines(self.move(number)).unlink()

    def do_credit(self, number, parts, again):
        credit = self.reverse(self.move(number))
        amounts = {
            self.line(number, start, metric).id: float(amount)
            for start, metric, amount in parts
        }
        for line in credit.invoice_line_ids:
            source = self.sources.get(line.id)
            if source in amounts:
                line.write({"price_unit": amounts[source], "discount": 0})
            else:
                line.unlink()
        credit.fc_bill_again = again
        credit.action_post()

    def do_modify(self, number):
        move = self.move(number)
        before = move.reversal_move_ids
        self.wizard(move).modify_moves()
        self.note_sources(move, move.reversal_move_ids - before)

    def do_reverse(self, number):
        self.reverse(self.move(number)).action_post()

    def do_copy(self, number, how):
        move = self.move(number)
        if how == "debit":
            wizard = (
                self.env["account.debit.note"]
                .with_context(active_model="account.move", active_ids=move.ids)
                .create({"copy_lines": True, "date": fields.Date.today()})
            )
            copy = self.env["account.move"].browse(wizard.create_debit()["res_id"])
        else:
            copy = move.copy({"invoice_date": fields.Date.today()})
        copy.action_post()


def main(env, args):
    executor = Executor(env, freeze_time, REPO / "benchmarks" / "oracle.py")
    orders = args.get("orders", 0)
    player = Player(executor, args.get("ignore", ()), orders)
    without = [*args.get("without", ()), *(BY_NUMBER if orders else ())]
    if args.get("program"):
        programs = [args["program"]]
    else:
        first = args.get("seed", 1)
        programs = (
            program(seed, without, args.get("steps", 12), args.get("often", ()))
            for seed in range(first, first + args["count"])
        )
    begin, failed = real_perf_counter(), 0
    for made in programs:
        error = player.differs(made)
        if error is None:
            continue
        failed += 1
        if args.get("shorten", True):
            made, error = player.shorten(made, error)
        print(player.story(made, error), flush=True)
        if failed >= args.get("most", 5):
            break
    executor.close()
    seconds = real_perf_counter() - begin
    print(json.dumps({"failed": failed, "seconds": round(seconds, 1), **player.counts}))


main(env, args)  # noqa: F821 (both are given by the shell)
