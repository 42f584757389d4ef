import json
from collections import defaultdict, namedtuple
from datetime import datetime
from decimal import Decimal

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine import money, periods
from ..engine.pricing import PriceTerms, price

# One thing to rate: a charge of a subscription over one window.
# ``superseded``: another job prices the usage, this one takes back what was billed.
Job = namedtuple("Job", "order charge window superseded")

# What the ledger says of one charge and window: the sum of its live invoiced
# revisions, its highest revision and that one's quantity, the open revision's
# (window end, explanation) or None, and the terms it was invoiced at or None.
Standing = namedtuple("Standing", "billed revision quantity open terms")
NOTHING = Standing(Decimal(0), -1, Decimal(0), None, None)


class SaleOrder(models.Model):
    """Rating: usage of the open windows becomes amounts on subscription lines."""

    _inherit = "sale.order"

    def _fc_rate_usage(self, settle=False):
        """Rate the usage of these subscriptions up to date, onto their lines.

        Covers each subscription's open window, the one invoiced last (for usage
        that came late) and every earlier one with an open or a released rating.
        Running it again changes nothing, and takes a number of queries that does not
        grow with the set; lines that are new or changed are written one by one.

        :param bool settle: the windows are about to be invoiced
        :return: the open ``fusion.billing.rating`` rows of these subscriptions
        """
        orders = self.filtered("is_subscription").sudo()
        Rating = self.env["fusion.billing.rating"].sudo()
        if not orders:
            return Rating
        Rating.flush_model()
        jobs = orders._fc_rating_jobs()
        quantities = self._fc_quantities(jobs)
        orders._fc_store_ratings(jobs, quantities, settle)
        ratings = Rating.search(
            [("subscription_id", "in", orders.ids), ("state", "=", "open")]
        )
        orders._fc_update_lines(ratings)
        return ratings

    def _fc_rating_jobs(self):
        """List each :class:`Job`: what to rate, and at which quantity 0 counts.

        The usage of one metric and window is priced by one charge. In the open
        window that is the charge of the plan as it is now; what others have put
        there (an earlier plan or price, other dates) is taken back. A window that
        was invoiced is not given charges that it did not have then.
        """
        current = {order: order._fc_window() for order in self}
        previous = {order: order._fc_previous_window() for order in self}
        jobs = {}
        for order, charge in self._fc_current_charges():
            window = current[order]
            jobs[order, charge, window.start] = Job(order, charge, window, False)
        starts = [w.start for w in (*current.values(), *previous.values()) if w]
        rows = (
            self.env["fusion.billing.rating"]
            .sudo()
            .search(
                Domain("subscription_id", "in", self.ids)
                & (
                    Domain("state", "in", ("open", "released"))
                    | Domain("window_end", ">", min(starts, default=datetime.max))
                )
            )
        )
        for row in rows:
            order = row.subscription_id
            key = order, row.charge_id, row.window_start
            if key in jobs:
                continue
            window = periods.Window(row.window_start, row.window_end)
            now = current[order]
            superseded = bool(
                (row.explanation or {}).get("superseded")
                or (now and window.start < now.end and now.start < window.end)
            )
            if superseded or row.state != "invoiced" or window == previous[order]:
                jobs[key] = Job(order, row.charge_id, window, superseded)
        return list(jobs.values())

    def _fc_quantities(self, jobs):
        """The aggregated usage of each job, in order (list of Decimal)."""
        return (
            self.env["fusion.billing.usage"]
            .sudo()
            ._aggregate_windows(
                [
                    (j.order, j.charge.metric_id, j.window.start, j.window.end)
                    for j in jobs
                ]
            )
        )

    def _fc_current_charges(self):
        """Yield (order, charge) for the open windows: one charge for each metric.

        Of charges in several currencies, the one in the order's own counts.
        """
        charges_of_plan = defaultdict(list)
        charges = (
            self.env["fusion.billing.charge"]
            .sudo()
            .search([("plan_id", "in", (self.plan_id | self.fc_window_plan_id).ids)])
        )
        for charge in charges:
            charges_of_plan[charge.plan_id, charge.company_id].append(charge)
        for order in self:
            window = order._fc_window()
            if window is None or window.is_empty:
                continue
            # The price of a window is the one valid on its first day.
            first_day = order.last_invoice_date or order.start_date
            chosen = {}
            # A plan without charges had no prices that could be kept.
            charges = charges_of_plan[order._fc_plan(), order.company_id]
            for charge in charges or charges_of_plan[order.plan_id, order.company_id]:
                if charge._is_valid_on(first_day):
                    rival = chosen.setdefault(charge.metric_id, charge)
                    if rival.currency_id != order.currency_id:
                        if charge.currency_id == order.currency_id:
                            chosen[charge.metric_id] = charge
            for charge in chosen.values():
                yield order, charge

    def _fc_store_ratings(self, jobs, quantities, settle=False):
        """Write the open revision of each job where it differs from what stands."""
        terms = (
            self.env["fusion.billing.charge"]
            .concat(*{job.charge for job in jobs})
            ._price_terms()
        )
        standing = self._fc_standing_ratings()
        rows = []
        for job, quantity in zip(jobs, quantities, strict=True):
            key = job.order.id, job.charge.id, job.window.start
            known = standing.get(key, NOTHING)
            if job.superseded:
                quantity = Decimal(0)
            agreed = self._fc_agreed_terms(job, known) or terms[job.charge.id]
            values = self._fc_rate(job, agreed, quantity, known.billed)
            # The explanation, too: a new price can come to the same amount, and is
            # what later usage of the window will cost.
            if known.open == (job.window.end, values["explanation"]):
                continue
            # At settlement a row is kept for 0 too: it says which charges the
            # window had, for usage that comes later.
            keep_zero = settle and known is NOTHING
            if not (known.open or values["amount"] or keep_zero):
                if quantity == known.quantity:
                    continue
            revision = known.revision if known.open else known.revision + 1
            rows.append(
                (
                    job.order.id,
                    job.order.partner_id.id,
                    job.order.company_id.id,
                    job.charge.id,
                    job.charge.metric_id.id,
                    job.window.start,
                    job.window.end,
                    revision,
                    quantity,
                    values["included"],
                    values["billable"],
                    values["amount"],
                    job.order.currency_id.id,
                    json.dumps(values["explanation"]),
                    self.env.uid,
                    self.env.uid,
                )
            )
        if rows:
            self._fc_upsert_ratings(rows)

    def _fc_agreed_terms(self, job, known):
        """The terms a window was rated with for good; None: those of today count."""
        # A window that was invoiced keeps the price it was invoiced at.
        if not known.terms and known.open and job.window != job.order._fc_window():
            # So does one that is over, and came to nothing: it has no invoice.
            return PriceTerms.from_dict(known.open[1])
        return known.terms

    def _fc_preview_open_window(self):
        """Price the open window as its invoice will, without writing anything.

        :return: list of (charge, values as :meth:`_fc_rate` returns them)
        """
        self.ensure_one()
        jobs = [
            Job(order, charge, order._fc_window(), False)
            for order, charge in self._fc_current_charges()
        ]
        quantities = self._fc_quantities(jobs)
        charges = self.env["fusion.billing.charge"].concat(*(j.charge for j in jobs))
        terms = charges._price_terms()
        standing = self._fc_standing_ratings()
        previews = []
        for job, quantity in zip(jobs, quantities, strict=True):
            key = job.order.id, job.charge.id, job.window.start
            agreed = self._fc_agreed_terms(job, standing.get(key, NOTHING))
            agreed = agreed or terms[job.charge.id]
            values = self._fc_rate(job, agreed, quantity, Decimal(0))
            previews.append((job.charge, values))
        return previews

    def _fc_upsert_ratings(self, rows):
        # Not through the ORM: quantities must not pass through a float, and one
        # statement does for thousands of rows what create() does one by one.
        self.env.cr.execute_values(
            """
            INSERT INTO fusion_billing_rating
                   (subscription_id, partner_id, company_id, charge_id, metric_id,
                    window_start, window_end, revision, quantity, included,
                    billable, amount, currency_id, explanation, create_uid,
                    write_uid, state, create_date, write_date)
            VALUES %s
            ON CONFLICT (subscription_id, charge_id, window_start)
                  WHERE state = 'open'
            DO UPDATE SET window_end = excluded.window_end,
                          quantity = excluded.quantity,
                          included = excluded.included,
                          billable = excluded.billable,
                          amount = excluded.amount,
                          currency_id = excluded.currency_id,
                          explanation = excluded.explanation,
                          write_uid = excluded.write_uid,
                          write_date = excluded.write_date
            """,
            rows,
            template="(" + "%s, " * 16 + "'open', now() AT TIME ZONE 'UTC',"
            " now() AT TIME ZONE 'UTC')",
            page_size=1000,
        )
        self.env["fusion.billing.rating"].invalidate_model()
        self.invalidate_recordset(["fc_rating_ids"])

    def _fc_standing_ratings(self):
        """What the ledger says: {(order, charge, window start): :class:`Standing`}."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT subscription_id, charge_id, window_start,
                       sum(amount) FILTER (WHERE state = 'invoiced')::text,
                       max(revision),
                       (array_agg(quantity::text ORDER BY revision DESC))[1],
                       max(window_end) FILTER (WHERE state = 'open'),
                       (array_agg(explanation ORDER BY revision DESC)
                        FILTER (WHERE state = 'open'))[1],
                       (array_agg(explanation ORDER BY revision DESC)
                        FILTER (WHERE state = 'invoiced'))[1]
                  FROM fusion_billing_rating
                 WHERE subscription_id = ANY(%s)
                 GROUP BY subscription_id, charge_id, window_start
                """,
                self.ids,
            )
        )
        return {
            tuple(key): Standing(
                billed=Decimal(billed or 0),
                revision=revision,
                quantity=Decimal(quantity),
                # The open revision, where there is one, is the highest.
                open=(open_end, explanation) if open_end else None,
                terms=PriceTerms.from_dict(invoiced) if invoiced else None,
            )
            for *key, billed, revision, quantity, open_end, explanation, invoiced in (
                rows
            )
        }

    def _fc_rate(self, job, terms, quantity, billed):
        """Price one job: the one function behind invoice, preview and ledger.

        Rounded once, in the order's currency, after conversion at the date the
        window ends.

        :param Job job: what to price
        :param terms: engine ``PriceTerms`` of the charge
        :param Decimal quantity: usage of the window
        :param Decimal billed: what earlier revisions of the window have billed
        :return: dict of included, billable, amount (Decimal) and explanation
        """
        result = price(terms, quantity)
        explanation = result.as_dict()
        if job.superseded:
            explanation["superseded"] = True
        explanation["currency"] = job.charge.currency_id.name
        amount = result.amount
        currency = job.order.currency_id
        if job.charge.currency_id != currency:
            rate = self.env["res.currency"]._get_conversion_rate(
                job.charge.currency_id,
                currency,
                job.order.company_id,
                job.order._fc_local_date(job.window.end),
            )
            explanation["conversion_rate"] = repr(rate)
            amount = money.EXACT.multiply(amount, money.to_decimal(rate))
        amount = money.round_amount(amount, money.to_decimal(currency.rounding))
        explanation["rounded"] = money.format_decimal(amount)
        if billed:
            explanation["billed"] = money.format_decimal(billed)
        return {
            "included": result.included,
            "billable": result.billable,
            "amount": amount - billed,
            "explanation": explanation,
        }

    def _fc_update_lines(self, ratings):
        """Carry the open amounts to the usage lines, one line for each charge.

        Several windows of one charge (an earlier one reopened, and the current
        one) add up on its line. A line is made for an amount only, but an
        existing line follows its amount down to 0.

        Nothing of this is told in the chatter: what has been used so far changes by
        the hour.
        """
        Line = self.env["sale.order.line"].sudo()
        lines = {
            (line.order_id.id, line.fc_charge_id.id): line
            for line in Line.search(
                [("order_id", "in", self.ids), ("fc_charge_id", "!=", False)]
            )
        }
        groups = ratings.sorted("window_start").grouped(
            lambda r: (r.subscription_id.id, r.charge_id.id)
        )
        to_create = []
        for key, group in groups.items():
            order, charge = group.subscription_id, group.charge_id
            amount = order.currency_id.round(sum(group.mapped("amount")))
            line = lines.pop(key, None)
            # A window that came to nothing is no news beside one that did not.
            told = group.filtered("amount") or group
            if line:
                line._fc_set_amount(amount, told)
                line._fc_link(group)
            elif amount:
                to_create.append(
                    {
                        "order_id": order.id,
                        "product_id": charge.product_id.id,
                        "fc_charge_id": charge.id,
                        "name": Line._fc_description(told),
                        "product_uom_qty": 1.0,
                        "price_unit": amount,
                        "technical_price_unit": amount,
                        "discount": 0.0,
                    }
                )
        Line.concat(*lines.values())._fc_reset()
        for line in Line.with_context(sale_no_log_for_new_lines=True).create(to_create):
            line._fc_link(groups[line.order_id.id, line.fc_charge_id.id])
        # Computed now, as the context says whether a new total is tracked.
        self.with_context(mail_notrack=True).mapped("amount_total")

    def _fc_invoiced(self, moves):
        """Settle the ratings that went on these invoices; their lines restart at 0."""
        open_ratings = (
            self.env["fusion.billing.rating"]
            .sudo()
            .search([("subscription_id", "in", self.ids), ("state", "=", "open")])
        )
        open_ratings._invoice(moves.sudo())
        self._fc_update_lines(open_ratings.filtered(lambda r: r.state == "open"))
