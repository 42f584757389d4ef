from collections import namedtuple
from datetime import datetime
from decimal import Decimal

from odoo import models

from ..engine.billing import money, periods
from ..engine.billing.pricing import PriceTerms, price
from .sale_order_ledger import NOTHING

# One thing to rate: a charge of a subscription over one window.
# ``superseded``: another job prices the usage, this one takes back what was billed.
Job = namedtuple("Job", "order charge window superseded")


class SaleOrder(models.Model):
    """Rating: usage of the open windows becomes amounts on subscription lines."""

    _inherit = "sale.order"

    def _fc_rate_usage(self, settle=False):
        """Rate the usage of these subscriptions up to date, onto their lines.

        Running it again changes nothing, and takes a number of queries that does not
        grow with the set, but for lines that are new: Odoo makes these one by one.

        :param bool settle: the windows are about to be invoiced
        :return: the open ``fusion.billing.rating`` rows of these subscriptions
        """
        orders = self.filtered("is_subscription").sudo()
        orders._fc_bring_up_to_date(settle)
        return orders._fc_open_ratings()

    def _fc_open_ratings(self):
        """The ``fusion.billing.rating`` rows that are still to be invoiced."""
        return (
            self.env["fusion.billing.rating"]
            .sudo()
            .search([("subscription_id", "in", self.ids), ("state", "=", "open")])
        )

    def _fc_bring_up_to_date(self, settle=False):
        """Do what :meth:`_fc_rate_usage` says, for subscriptions.

        Covers each subscription's open window, every one with an open or a released
        rating, and, as far back as its usage has changed since it was last rated
        (``fusion.billing.rating.queue`` knows), those that were invoiced.
        """
        if not self:
            return
        self.env["fusion.billing.rating"].flush_model()
        dirty, rechecked = self.env["fusion.billing.rating.queue"].sudo()._take(self)
        charges = list(self._fc_current_charges())
        standing = self._fc_standing_ratings(dirty)
        jobs = self._fc_rating_jobs(charges, standing, dirty)
        quantities = self._fc_quantities(jobs)
        changed = self._fc_store_ratings(jobs, quantities, standing, settle)
        self._fc_allocate(self._fc_doubtful(dirty, rechecked, settle))
        to_update = self if settle else self & changed
        to_update._fc_update_lines(to_update._fc_open_ratings())

    def _fc_rating_jobs(self, charges, standing, dirty):
        """List each :class:`Job`: what to rate, and at which quantity 0 counts.

        The usage of one metric and window is priced by one charge. In the open
        window that is the charge of the plan as it is now; what others have put
        there (an earlier plan or price, other dates) is taken back. A window that
        was invoiced is not given charges that it did not have then.

        :param charges: (order, charge) of the open windows
        :param standing: what the ledger says, see :meth:`_fc_standing_ratings`
        :param dict dirty: order id -> since when its usage has changed
        """
        current = {order.id: order._fc_window() for order in self}
        jobs = {
            (order.id, charge.id, current[order.id].start): Job(
                order, charge, current[order.id], False
            )
            for order, charge in charges
        }
        Charge = self.env["fusion.billing.charge"].sudo()
        orders = {order.id: order for order in self}
        # Browsed together, so that they are read together.
        of_ids = {c.id: c for c in Charge.browse({key[1] for key in standing})}
        for key, known in standing.items():
            if key in jobs:
                continue
            order_id, charge_id, start = key
            window, now = periods.Window(start, known.end), current[order_id]
            superseded = known.superseded or bool(
                now and window.start < now.end and now.start < window.end
            )
            if (
                known.open
                # Also with a later revision that is invoiced: it is the rest.
                or known.released
                or known.end > dirty.get(order_id, datetime.max)
                or (superseded and known.billed)
            ):
                jobs[key] = Job(orders[order_id], of_ids[charge_id], window, superseded)
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
        """Yield (order, charge) for the open windows: one charge for each metric."""
        Charge = self.env["fusion.billing.charge"].sudo()
        charges_of_plan = Charge.search(
            [("plan_id", "in", (self.plan_id | self.fc_window_plan_id).ids)]
        ).grouped(lambda charge: (charge.plan_id, charge.company_id))
        for order in self:
            window = order._fc_window()
            if window is None or window.is_empty:
                continue
            # The price of a window is the one valid on its first day.
            first_day = order.last_invoice_date or order.start_date
            # A plan without charges had no prices that could be kept.
            charges = charges_of_plan.get(
                (order._fc_plan(), order.company_id)
            ) or charges_of_plan.get((order.plan_id, order.company_id), Charge)
            valid = charges._valid_on(first_day)
            for charge in valid._of_each_metric(order.currency_id).values():
                yield order, charge

    def _fc_agreed_terms(self, job, known):
        """The terms a window was rated with for good; None: those of today count."""
        # A window that was invoiced keeps the price it was invoiced at. One whose
        # invoice was taken back is priced anew: that may be why it was.
        if known.terms or known.released or not known.open:
            return known.terms
        # So does one that is over, and came to nothing: it has no invoice.
        if job.window != job.order._fc_window():
            return PriceTerms.from_dict(known.open[1])
        return None

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
        standing = self._fc_standing_ratings({})
        previews = []
        for job, quantity in zip(jobs, quantities, strict=True):
            key = job.order.id, job.charge.id, job.window.start
            agreed = self._fc_agreed_terms(job, standing.get(key, NOTHING))
            agreed = agreed or terms[job.charge.id]
            values = self._fc_rate(job, agreed, quantity, NOTHING)
            previews.append((job.charge, values))
        return previews

    def _fc_rate(self, job, terms, quantity, known):
        """Price one job: the one function behind invoice, preview and ledger.

        Rounded once, in the order's currency, after conversion at the date the
        window ends.

        :param Job job: what to price
        :param terms: engine ``PriceTerms`` of the charge
        :param Decimal quantity: usage of the window
        :param Standing known: what earlier revisions of the window have billed
        :return: dict of included, billable, amount (Decimal) and explanation
        """
        result = price(terms, quantity)
        explanation = result.as_dict()
        amount = result.amount
        if job.superseded:
            explanation["superseded"] = True
            amount = Decimal(0)  # a minimum is of the charge that took its place
        explanation["currency"] = job.charge.currency_id.name
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
        if known.billed:
            explanation["billed"] = money.format_decimal(known.billed)
        if known.billed_by:
            explanation["billed_by"] = known.billed_by
        return {
            "included": result.included,
            "billable": result.billable,
            "amount": amount - known.billed,
            "explanation": explanation,
        }
