from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

from ...engine.billing import money
from ...engine.billing.ledger import Adjustment, in_ledger
from ...engine.billing.periods import day_start_utc
from ...engine.billing.rating import Standing, is_postable, next_revision
from ..invoice.document_lines import net
from .accrual_line import DRAFT, FAILED, LATE, LATER, NOTHING, OPEN, UNALLOCATED

# Subscriptions that are rated at once before their usage is valued.
BATCH = 500
TOLD_EVERY = 200


class FusionBillingAccrualValuation(models.AbstractModel):
    """What usage up to a day has earned, less what the books have of it by then.

    Worked out for each window and metric by the function that rates, as if the window
    ended with that day: quota, tiers and minimum are those of the whole window. What
    invoices and credit notes with a later accounting date say is not in the books yet.
    """

    _name = "fusion.billing.accrual.valuation"
    _description = "Valuation of Unbilled Usage"

    @api.model
    def _cutoff(self, company, day):
        """The first instant after a day, in the company's time zone (naive UTC)."""
        return day_start_utc(day + timedelta(days=1), company.fc_billing_tz)

    @api.model
    def _catch_up(self, company):
        """Rate what waits, so that late usage has its rating and windows are there."""
        orders = self.env["sale.order"].sudo()
        orders = orders.search(
            [*orders._fc_running_domain(), ("company_id", "=", company.id)]
        )
        self.env["fusion.billing.timeline"]._catch_up(orders)
        waiting = orders.browse(self.env["fusion.billing.rating.queue"]._waiting())
        waiting = waiting.filtered(
            lambda o: o.company_id == company and o.is_subscription
        )
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            self.env["fusion.billing.rating.run"]._rate_isolated(batch)

    # -- all of it -------------------------------------------------------------

    @api.model
    def _values(self, company, day):
        """What each window and metric comes to: values of accrual lines.

        :param company: one ``res.company``
        :param date day: the last one that counts
        :return: list of dict; those that are left out have an amount of 0 and say why
        """
        self = self.sudo().with_company(company)
        cutoff, rows = self._cutoff(company, day), []
        priced = self._priced(company, day, cutoff)
        of_agreement = self._ratings_by_agreement([job.key for job, _q in priced])
        untaxed = self.env["fusion.billing.rates"]._untaxed_reader()
        failed = self._failed(company)
        tell = self.env["fusion.billing.job"]._tell
        for number, (job, quantity) in enumerate(priced):
            if number % TOLD_EVERY == 0:
                tell(number, len(priced))
            if job.window.order in failed:
                continue
            ratings = of_agreement.get(job.key, self.env["fusion.billing.rating"])
            values = self._value(job, quantity, ratings, day)
            if values is None:
                continue
            if values["reason"] not in (NOTHING, FAILED):
                net_amount = untaxed(
                    job.agreement.product, job.window, values.pop("_to_book")
                )
                self._put_amount(values, net_amount, company, day)
                self._put_accounts(values, job, ratings, day)
            values.pop("_to_book", None)
            rows.append(values)
        rows += [
            self._left_out(order, FAILED, error) for order, error in failed.items()
        ]
        return rows + self._unallocated(company, cutoff)

    def _priced(self, company, day, cutoff):
        """The jobs of windows that can differ from the books, with their quantities."""
        for name in ("window", "window.charge", "rating", "adjustment", "usage"):
            self.env[f"fusion.billing.{name}"].flush_model()
        self.env["account.move"].flush_model(["state", "date", "company_id"])
        condition = SQL(
            """
            w.start < %(cutoff)s AND w.id IN (
                SELECT id FROM fusion_billing_window
                 WHERE company_id = %(company)s AND is_settled IS NOT TRUE
                   AND kind = 'billing'
                 UNION ALL
                SELECT id FROM fusion_billing_window
                 WHERE company_id = %(company)s AND "end" > %(cutoff)s
                   AND kind = 'billing'
                 UNION ALL
                SELECT window_id FROM fusion_billing_rating
                 WHERE company_id = %(company)s AND state = 'open'
                 UNION ALL
                SELECT window_id FROM fusion_billing_window_charge
                 WHERE company_id = %(company)s AND state = 'open'
                 UNION ALL
                SELECT r.window_id
                  FROM fusion_billing_rating r
                  JOIN account_move m ON m.id = r.invoice_id
                 WHERE r.company_id = %(company)s AND r.state = 'invoiced'
                   AND (m.state = 'draft' OR m.date > %(day)s))
            """,
            cutoff=cutoff,
            company=company.id,
            day=day,
        )
        Rater = self.env["fusion.billing.rater"]
        return Rater._quantified(condition, cutoff, day + timedelta(days=1))

    def _ratings_by_agreement(self, keys):
        """Ratings that are, or were, on a document: {agreement id: records}."""
        ratings = self.env["fusion.billing.rating"].search(
            [
                ("agreement_id", "in", [key for key in keys if key]),
                ("state", "!=", "open"),
            ],
            order="agreement_id, revision",
        )
        return {
            agreement.id: group
            for agreement, group in ratings.grouped("agreement_id").items()
        }

    # -- one window and metric -------------------------------------------------

    def _value(self, job, quantity, ratings, day):
        """What one of them comes to, before taxes and accounts; None: not to be told.

        :param quantity: used up to the cut-off (Decimal)
        :param ratings: of this agreement, that are or were on a document
        """
        window = self.env["fusion.billing.window"].browse(job.window.id)
        step = money.to_decimal(window.currency_id.rounding)
        booked = sum((self._booked(r, day) for r in ratings), Decimal(0))
        standing = Standing(charged=booked, adjustments=self._adjustments(ratings, day))
        revision = next_revision(job.agreement, quantity, step, standing)
        if job.agreement.rate_from:
            currency = self.env["res.currency"].browse(job.agreement.currency)
            revision.explanation["currency"] = currency.name
        values = {
            "subscription_id": job.window.order,
            "partner_id": self._payer(window).id,
            "window_id": window.id,
            "metric_id": job.metric,
            "charge_id": job.agreement.charge,
            "product_id": job.agreement.product,
            "currency_id": window.currency_id.id,
            "quantity": float(revision.quantity),
            "amount_used": float(revision.amount + booked),
            "amount_booked": float(booked),
            "explanation": revision.explanation,
        }
        if not is_postable(revision, step):
            return values | {"reason": FAILED}
        if not revision.amount:
            # Invoiced, or within the quota. The former is no news.
            return values | {"reason": NOTHING} if quantity and not booked else None
        reason = self._reason(ratings, day, booked)
        return values | {"reason": reason, "_to_book": revision.amount}

    def _booked(self, rating, day):
        """What posted documents have charged of it by a day, in the ledger's taxes."""
        line = rating.invoice_line_id
        amount = money.to_decimal(rating.amount or 0)
        if not line:  # of an update: it was on no document of Odoo's
            return amount if rating.state == "invoiced" else Decimal(0)
        if not _is_in_books(line.move_id, day):
            return Decimal(0)
        put = money.to_decimal(rating.line_price or 0) or amount
        step = money.to_decimal(rating.currency_id.rounding)
        return in_ledger(net(line, until=day), amount, put, step)

    def _adjustments(self, ratings, day):
        """What finance forgave or added, in order, but for what is of a later period.

        A credit note that is posted after the cut-off, over an invoice before it,
        belongs to the period that it is posted in.
        """
        found = ratings.filtered(lambda r: r.state == "invoiced").adjustment_ids
        found = found.filtered(lambda x: not x.ended_by_id).sorted("id")
        return tuple(
            Adjustment(
                money.to_decimal(x.rating_id.window_amount or 0),
                money.to_decimal(x.forgiven),
            )
            for x in found
            if not (
                x.move_id != x.rating_id.invoice_id
                and _is_in_books(x.rating_id.invoice_id, day)
                and x.move_id.date
                and x.move_id.date > day
            )
        )

    def _reason(self, ratings, day, booked):
        waiting = ratings.filtered(lambda r: r.state == "invoiced").invoice_id
        waiting = waiting.filtered(lambda m: not _is_in_books(m, day))
        if waiting:
            is_draft = "draft" in waiting.mapped("state")
            return DRAFT if is_draft else LATER
        return LATE if booked or ratings.filtered("invoice_id") else OPEN

    def _payer(self, window):
        """Whom its invoice goes to, as journal items name customers."""
        order = window.subscription_id
        payer = order.partner_invoice_id
        if window.settled_at and window.partner_id != order.partner_id:
            address = window.partner_id.address_get(["invoice"])["invoice"]
            payer = payer.browse(address)
        return payer.commercial_partner_id

    # -- in the books ----------------------------------------------------------

    def _put_amount(self, values, amount, company, day):
        currency = self.env["res.currency"].browse(values["currency_id"])
        values["amount"] = float(amount)
        values["balance"] = currency._convert(
            float(amount), company.currency_id, company, day
        )

    def _put_accounts(self, values, job, ratings, day):
        """The account and analytic distribution that its invoice has, or will have."""
        waiting = ratings.filtered(lambda r: r.state == "invoiced").invoice_line_id
        waiting = waiting.filtered(lambda x: not _is_in_books(x.move_id, day))
        if line := waiting[-1:]:
            values["account_id"] = line.account_id.id
            values["analytic_distribution"] = line.analytic_distribution
            return
        order = self.env["sale.order"].browse(job.window.order)
        product = self.env["product.product"].browse(job.agreement.product)
        accounts = product.product_tmpl_id.get_product_accounts(
            fiscal_pos=order.fiscal_position_id
        )
        account = accounts["income"]
        if not account:
            journal = self.env["account.journal"].search(
                [
                    *self.env["account.journal"]._check_company_domain(
                        order.company_id
                    ),
                    ("type", "=", "sale"),
                ],
                limit=1,
            )
            account = journal.default_account_id
        values["account_id"] = account.id
        values["analytic_distribution"] = self._distribution(order, job, product)

    def _distribution(self, order, job, product):
        line = order.order_line.filtered(
            lambda x: x.fc_charge_id.id == job.agreement.charge
        )
        if line:
            return line.analytic_distribution
        # As Odoo finds it for the line that is to come.
        return self.env["account.analytic.distribution.model"]._get_distribution(
            {
                "product_id": product.id,
                "product_categ_id": product.categ_id.id,
                "partner_id": order.partner_id.id,
                "partner_category_id": order.partner_id.category_id.ids,
                "company_id": order.company_id.id,
            }
        )

    # -- what is left out ------------------------------------------------------

    def _failed(self, company):
        """Subscriptions that cannot be rated: {order id: why}."""
        orders = self.env["sale.order"].search(
            [
                ("company_id", "=", company.id),
                ("fc_rating_error", "!=", False),
                ("is_subscription", "=", True),
            ]
        )
        return {order.id: order.fc_rating_error for order in orders}

    def _left_out(self, order_id, reason, detail, metric_id=False):
        order = self.env["sale.order"].browse(order_id)
        return {
            "subscription_id": order_id,
            "partner_id": order.partner_invoice_id.commercial_partner_id.id,
            "metric_id": metric_id,
            "currency_id": order.currency_id.id,
            "reason": reason,
            "detail": detail,
        }

    def _unallocated(self, company, cutoff):
        """Usage that no window bills, for each subscription and metric."""
        return [
            self._left_out(
                order_id,
                UNALLOCATED,
                self.env._("%(count)s events", count=count),
                metric_id,
            )
            for order_id, metric_id, count in self.env.execute_query(
                SQL(
                    """
                    SELECT u.subscription_id, u.metric_id, count(*)
                      FROM fusion_billing_usage u
                      JOIN sale_order o ON o.id = u.subscription_id
                     WHERE u.unallocated IS TRUE AND u.voided_at IS NULL
                       AND u.period_start < %s AND o.company_id = %s
                     GROUP BY 1, 2 ORDER BY 1, 2
                    """,
                    cutoff,
                    company.id,
                )
            )
        ]

    # -- late usage of a locked period -----------------------------------------

    @api.model
    def _late(self, company, day, locked_until):
        """What of the period that is locked was not in its books when it was.

        It counts in the first period that is open.

        :return: {(window id, metric id): amount (float)}
        """
        if not locked_until or locked_until >= day:
            return {}
        accrued = (
            self.env["fusion.billing.accrual.line"]
            .sudo()
            ._read_group(
                [
                    ("accrual_id.company_id", "=", company.id),
                    ("accrual_id.state", "=", "posted"),
                    ("accrual_id.date", "<=", locked_until),
                    ("accrual_id.reversal_date", ">", locked_until),
                    ("amount", "!=", 0),
                ],
                ["window_id", "metric_id"],
                ["amount:sum"],
            )
        )
        known = {(window.id, metric.id): total for window, metric, total in accrued}
        late = {}
        for values in self._values(company, locked_until):
            key = values.get("window_id"), values["metric_id"]
            late[key] = values.get("amount", 0.0) - known.get(key, 0.0)
        return late

    @api.model
    def _locked_until(self, company, journal):
        """The last day that is locked for entries in a journal, or None."""
        lock = company.sudo()._get_user_fiscal_lock_date(journal)
        return lock if lock > fields.Date.to_date("1900-01-01") else None


def _is_in_books(move, day):
    """Whether a document counts in the books of a day."""
    return bool(move) and move.state == "posted" and move.date <= day
