import json
import logging
from collections import defaultdict, namedtuple
from datetime import timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from psycopg2 import OperationalError

from odoo import api, models
from odoo.tools import SQL

from ..engine import money, periods
from ..engine.pricing import price

_logger = logging.getLogger(__name__)

BATCH = 500

# One thing to rate: a charge of a subscription over one window.
Job = namedtuple("Job", "order charge window")


class SaleOrder(models.Model):
    """Rating: usage of the open windows becomes amounts on subscription lines."""

    _inherit = "sale.order"

    def _fc_window(self):
        """The window that is open now: ``[last invoice or start, next invoice)``.

        The dates are the subscription's; midnight is that of the company's
        billing time zone. Empty before the first period has begun.

        :return: engine ``Window`` in naive UTC, or None without dates
        """
        self.ensure_one()
        first = self.last_invoice_date or self.start_date
        if not first or not self.next_invoice_date:
            return None
        return periods.window_between(
            first, self.next_invoice_date, self.company_id.fc_billing_tz
        )

    def _fc_previous_window(self):
        """The window invoiced last, when the open one follows it; else None.

        Its usage can still change: an app is late, or an event was committed while
        the invoice was being made, which could not see it. What it comes to beyond
        what was billed goes on the next invoice.
        """
        self.ensure_one()
        window = self._fc_window()
        if window is None or self.fc_settled_end != window.start:
            return None
        return periods.Window(self.fc_settled_start, self.fc_settled_end)

    def _fc_settle_window(self):
        """Remember the open window as the one that is being invoiced."""
        for order in self:
            window = order._fc_window()
            if window and not window.is_empty and order.fc_settled_end != window.end:
                order.write(
                    {
                        "fc_settled_start": window.start,
                        "fc_settled_end": window.end,
                    }
                )

    def _fc_local_date(self, moment):
        """The date of a naive UTC datetime in the company's billing time zone."""
        self.ensure_one()
        tz = ZoneInfo(self.company_id.fc_billing_tz)
        return moment.replace(tzinfo=timezone.utc).astimezone(tz).date()

    def _fc_rate_usage(self):
        """Rate the usage of these subscriptions up to date, onto their lines.

        Covers each subscription's open window, the one invoiced last (for usage
        that came late) and every earlier one with an open or a released rating.
        Running it again changes nothing. Queries do not grow in number with the set.

        :return: the open ``fusion.billing.rating`` rows of these subscriptions
        """
        orders = self.filtered("is_subscription").sudo()
        Rating = self.env["fusion.billing.rating"].sudo()
        if not orders:
            return Rating
        Rating.flush_model()
        jobs = orders._fc_rating_jobs()
        quantities = (
            self.env["fusion.billing.usage"]
            .sudo()
            ._aggregate_windows(
                [
                    (j.order, j.charge.metric_id, j.window.start, j.window.end)
                    for j in jobs
                ]
            )
        )
        orders._fc_store_ratings(jobs, quantities)
        ratings = Rating.search(
            [("subscription_id", "in", orders.ids), ("state", "=", "open")]
        )
        orders._fc_update_lines(ratings)
        return ratings

    def _fc_rating_jobs(self):
        """List each :class:`Job`: the open windows, those invoiced last, and earlier
        ones that are not settled.
        """
        charges_of_plan = defaultdict(list)
        charges = (
            self.env["fusion.billing.charge"]
            .sudo()
            .search([("plan_id", "in", self.plan_id.ids)])
        )
        for charge in charges:
            charges_of_plan[charge.plan_id, charge.company_id].append(charge)
        jobs = {}
        for order in self:
            for window in (order._fc_previous_window(), order._fc_window()):
                if window is None or window.is_empty:
                    continue
                # The price of a window is the one valid on its first day.
                first_day = order._fc_local_date(window.start)
                for charge in charges_of_plan[order.plan_id, order.company_id]:
                    if charge._is_valid_on(first_day):
                        jobs[order, charge, window.start] = Job(order, charge, window)
        unsettled = (
            self.env["fusion.billing.rating"]
            .sudo()
            .search(
                [
                    ("subscription_id", "in", self.ids),
                    ("state", "in", ("open", "released")),
                ]
            )
        )
        for row in unsettled:
            key = row.subscription_id, row.charge_id, row.window_start
            window = periods.Window(row.window_start, row.window_end)
            jobs.setdefault(key, Job(row.subscription_id, row.charge_id, window))
        return list(jobs.values())

    def _fc_store_ratings(self, jobs, quantities):
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
            billed, last_revision, open_row = standing.get(key, (Decimal(0), -1, None))
            values = self._fc_rate(job, terms[job.charge.id], quantity, billed)
            if open_row is None and not values["amount"]:
                if last_revision >= 0 or not quantity:
                    continue  # nothing used, or nothing new since it was billed
            fresh = (quantity, values["amount"], job.window.end)
            if open_row is not None and open_row[1:] == fresh:
                continue
            revision = last_revision + 1 if open_row is None else open_row[0]
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
        """What the ledger says: {(order, charge, window start): (billed, rev, open)}.

        ``billed`` is what live invoiced revisions amount to, ``rev`` the highest
        revision, ``open`` the open one as (revision, quantity, amount, end).
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT subscription_id, charge_id, window_start,
                       sum(amount) FILTER (WHERE state = 'invoiced')::text,
                       max(revision),
                       max(revision) FILTER (WHERE state = 'open'),
                       max(quantity) FILTER (WHERE state = 'open')::text,
                       max(amount) FILTER (WHERE state = 'open')::text,
                       max(window_end) FILTER (WHERE state = 'open')
                  FROM fusion_billing_rating
                 WHERE subscription_id = ANY(%s)
                 GROUP BY subscription_id, charge_id, window_start
                """,
                self.ids,
            )
        )
        return {
            (order, charge, start): (
                Decimal(billed or 0),
                last,
                None
                if revision is None
                else (revision, Decimal(quantity), Decimal(amount), end),
            )
            for order, charge, start, billed, last, revision, quantity, amount, end in (
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
            if line:
                line._fc_set_amount(amount, group)
            elif amount:
                to_create.append(
                    {
                        "order_id": order.id,
                        "product_id": charge.product_id.id,
                        "fc_charge_id": charge.id,
                        "name": Line._fc_description(group),
                        "product_uom_qty": 1.0,
                        "price_unit": amount,
                        "technical_price_unit": amount,
                        "discount": 0.0,
                    }
                )
        for line in lines.values():
            line._fc_set_amount(0.0, self.env["fusion.billing.rating"])
        created = Line.create(to_create)
        for line in created:
            groups[line.order_id.id, line.fc_charge_id.id].order_line_id = line
        for key, line in lines.items():
            if key in groups:
                groups[key].order_line_id = line

    def _fc_invoiced(self, moves):
        """Settle the ratings that went on these invoices; their lines restart at 0."""
        open_ratings = (
            self.env["fusion.billing.rating"]
            .sudo()
            .search([("subscription_id", "in", self.ids), ("state", "=", "open")])
        )
        open_ratings._invoice(moves.sudo())
        self._fc_update_lines(open_ratings.filtered(lambda r: r.state == "open"))

    # -- cron ------------------------------------------------------------------

    @api.model
    def _cron_fc_rate_usage(self):
        """Rate every running subscription that has a charge, in committed batches.

        A subscription that cannot be rated is left out and says why on its
        form; it never stops the others.
        """
        plans = self.env["fusion.billing.charge"].search([]).plan_id
        order_ids = self.search(
            [*self._fc_running_domain(), ("plan_id", "in", plans.ids)], order="id"
        ).ids
        Cron = self.env["ir.cron"]
        Cron._commit_progress(remaining=len(order_ids))
        for start in range(0, len(order_ids), BATCH):
            batch = self.browse(order_ids[start : start + BATCH])
            batch._fc_rate_isolated()
            if not Cron._commit_progress(len(batch)):
                break

    def _fc_rate_isolated(self):
        """Rate a batch at once; when that fails, one by one, noting the failures."""
        running = self.filtered_domain(self._fc_running_domain())
        try:
            with self.env.cr.savepoint():
                running._fc_rate_usage()
                running._fc_set_rating_error(False)
            return
        except OperationalError:
            raise  # a concurrent transaction, not a bad record: the cron runs again
        except Exception:
            _logger.info("Rating %s subscriptions one by one", len(running))
            running.invalidate_recordset(flush=False)
        for order in running:
            try:
                with self.env.cr.savepoint():
                    order._fc_rate_usage()
                    order._fc_set_rating_error(False)
            except OperationalError:
                raise
            except Exception as exc:
                _logger.info("Rating of %s failed", order.name, exc_info=True)
                order.invalidate_recordset(flush=False)
                order._fc_set_rating_error(str(exc) or type(exc).__name__)

    def _fc_set_rating_error(self, error):
        changed = self.filtered(lambda o: (o.fc_rating_error or False) != error)
        if changed:
            changed.sudo().fc_rating_error = error
