from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL, format_date, format_datetime

from ...engine.billing.aggregation import AGGREGATIONS
from ...engine.billing.money import format_decimal
from ...engine.shape import write_instant
from ..rating.numbers import Numbers
from ..rating.text import UsageText, told_of_preview, told_of_rating

PAST_WINDOWS = 12
# Bars that can be told apart; windows of a quarter and more are shown by week.
MOST_BARS = 62
EVENTS_IN_A_FILE = 100_000
_AT_ONCE = 5_000
COLUMNS = ("period_start", "period_end", "quantity", "idempotency_key", "unique_key")
COLUMNS += ("received_at",)


class FusionBillingUsagePage(models.AbstractModel):
    """What a customer's page tells of usage: windows, charges, days, events."""

    _name = "fusion.billing.usage.page"
    _description = "Usage on the Customer's Page"

    @api.model
    def _describe_usage(self, order, past=PAST_WINDOWS):
        """All that the page of a subscription has of its usage.

        :param order: one ``sale.order``
        :param int past: how many windows before the current one
        :return: dict for the template ``portal_usage``
        """
        order = order.sudo()
        current = order._fc_window()
        if current.is_settled or current.start > fields.Datetime.now():
            current = current.browse()
        return {
            "current": self._current(order, current) if current else None,
            "past": self._past(order, current, past),
            "books": self._books(order),
        }

    # -- the window that runs --------------------------------------------------

    def _current(self, order, window):
        """Each charge of a window, priced as its invoice will be."""
        text, lang = UsageText(), self.env.lang
        Charge = self.env["fusion.billing.charge"].sudo()
        charges = []
        for job, revision in self.env["fusion.billing.rater"]._preview(window):
            charge = Charge.browse(job.agreement.charge)
            told = told_of_preview(charge, job, revision, window.currency_id)
            told = text.breakdown(told, lang)
            bars = self._bars(window, charge.metric_id)
            charges.append(told | {"metric": charge.metric_id, "bars": bars})
        return self._days(window) | {"window": window, "charges": charges}

    def _days(self, window):
        return {
            "first_day": format_date(self.env, window.first_day),
            "last_day": format_date(self.env, window.last_day),
        }

    def _bars(self, window, metric):
        """A bar for each day (week, where there are many days) up to today.

        :return: list of dict: ``day``, ``quantity``, both as they are printed, and
            ``height`` in percent of the highest
        """
        days = (window.end_day - window.first_day).days
        width = 1 if days <= MOST_BARS else 7
        quantities = {
            index: Decimal(quantity)
            for index, quantity in self.env.execute_query(
                self._by_days(window, metric, width)
            )
        }
        highest, numbers = max(quantities.values(), default=0), Numbers(self.env)
        bars = []
        for index in range(-(-days // width)):
            quantity = quantities.get(index, Decimal(0))
            day = window.first_day + timedelta(days=index * width)
            bars.append(
                {
                    "day": format_date(self.env, day),
                    "quantity": numbers.fixed(quantity, 0, 2),
                    "height": float(quantity * 100 / highest) if highest else 0,
                }
            )
        return bars

    def _by_days(self, window, metric, width):
        """A query: number of the day (or week) in the window, its quantity."""
        day = SQL(
            "((u.period_start AT TIME ZONE 'UTC' AT TIME ZONE %s)::date - %s::date)"
            " / %s",
            window.tz,
            window.first_day,
            width,
        )
        return SQL(
            """
            SELECT %s AS day, (%s)::text FROM fusion_billing_usage u
             WHERE u.subscription_id = %s AND u.metric_id = %s
               AND u.period_start >= %s AND u.period_start < %s
               AND u.voided_at IS NULL
             GROUP BY day ORDER BY day
            """,
            day,
            SQL(AGGREGATIONS[metric.aggregation].sql),
            window.subscription_id.id,
            metric.id,
            window.start,
            window.end,
        )

    # -- those before it -------------------------------------------------------

    def _past(self, order, current, count):
        """The windows that have ended or are billed, the latest first."""
        Window = self.env["fusion.billing.window"].sudo()
        windows = Window.search(
            [
                ("subscription_id", "=", order.id),
                ("id", "!=", current.id),
                ("start", "<=", fields.Datetime.now()),
                ("rating_ids.state", "!=", "released"),
            ],
            limit=count,
        )
        text = UsageText()
        return [
            self._days(window)
            | {"window": window, "charges": self._past_charges(window, text)}
            for window in windows
        ]

    def _past_charges(self, window, text):
        charges = []
        ratings = window.rating_ids.filtered(lambda r: r.state != "released")
        for revisions in ratings.grouped("agreement_id").values():
            revisions = revisions.sorted("revision")
            latest, told = revisions[-1], told_of_rating(revisions[-1])
            # All that is charged for it, on whichever invoice it stands.
            amount = sum((told_of_rating(r).amount for r in revisions), Decimal(0))
            told = told._replace(amount=amount, billed=Decimal(0))
            invoices = revisions.invoice_id.filtered(lambda m: m.state == "posted")
            charges.append(
                text.breakdown(told, self.env.lang)
                | {
                    "metric": latest.metric_id,
                    "invoices": ", ".join(invoices.mapped("name")),
                    "is_open": "open" in revisions.mapped("state"),
                }
            )
        return charges

    def _books(self, order):
        """When it was rated last, and how many events have come since.

        What is shown counts them; invoices are made of the books, which follow.
        """
        Rating = self.env["fusion.billing.rating"].sudo()
        latest = Rating.search(
            [("subscription_id", "=", order.id), ("state", "=", "open")],
            order="write_date desc",
            limit=1,
        )
        Queue = self.env["fusion.billing.rating.queue"].sudo()
        waiting = 0
        if order.id in Queue._changed_since(order):
            domain = [("subscription_id", "=", order.id)]
            if latest:
                domain.append(("received_at", ">", latest.write_date))
            waiting = self.env["fusion.billing.usage"].sudo().search_count(domain)
        moment = latest.write_date
        return {
            "rated_at": format_datetime(self.env, moment) if moment else "",
            "waiting": waiting,
        }

    # -- events ----------------------------------------------------------------

    @api.model
    def _metrics_of(self, window):
        """What a customer is billed by in a window (``fusion.billing.metric``)."""
        window = window.sudo()
        plans = window.plan_id | window.subscription_id.plan_id
        charges = self.env["fusion.billing.charge"].sudo()
        charges = charges.search(
            [("plan_id", "in", plans.ids), ("company_id", "in", window.company_id.ids)]
        )
        return charges.metric_id | window.rating_ids.metric_id

    @api.model
    def _event_columns(self):
        """The heads of the columns of :meth:`_events_of`."""
        return COLUMNS

    @api.model
    def _events_of(self, window, metric, after=0):
        """The events that make the quantity of a window, in order of time.

        Voided ones are not in it. Read in portions: a window can have millions.

        :param int after: the id of the event that the part before ended with
        :return: generator of lists of text, one for each event; where a file is full,
            the last one is the id to go on after, alone
        """
        window, metric = window.sudo(), metric.sudo()
        place, left = self._place_of(window, metric, after), EVENTS_IN_A_FILE
        while left:
            rows = self._portion(window, metric, place, min(_AT_ONCE, left))
            for _key, start, end, quantity, *keys, received in rows:
                yield [
                    write_instant(start),
                    write_instant(end),
                    format_decimal(Decimal(quantity)),
                    *(_as_text(key) for key in keys),
                    write_instant(received),
                ]
            if len(rows) < min(_AT_ONCE, left):
                return
            left -= len(rows)
            place = rows[-1][1], rows[-1][0]
        if self._portion(window, metric, place, 1):
            yield [str(place[1])]

    def _place_of(self, window, metric, after):
        found = self.env.execute_query(
            SQL(
                "SELECT period_start, id FROM fusion_billing_usage"
                " WHERE subscription_id = %s AND metric_id = %s AND id = %s",
                window.subscription_id.id,
                metric.id,
                after,
            )
        )
        return found[0] if found else (window.start, 0)

    def _portion(self, window, metric, place, limit):
        return self.env.execute_query(
            SQL(
                """
                SELECT id, period_start, period_end, quantity::text,
                       idempotency_key, unique_key, received_at
                  FROM fusion_billing_usage
                 WHERE subscription_id = %s AND metric_id = %s
                   AND period_start >= %s AND period_start < %s
                   AND (period_start, id) > (%s, %s)
                   AND voided_at IS NULL
                 ORDER BY period_start, id LIMIT %s
                """,
                window.subscription_id.id,
                metric.id,
                window.start,
                window.end,
                *place,
                limit,
            )
        )


def _as_text(key):
    """A key of an app that no spreadsheet takes for a formula."""
    key = key or ""
    return f"'{key}" if key[:1] in tuple("=+-@\t\r") else key
