"""Nobody is charged anything by what has become of the ledger.

A settled window that would come to another amount by today's rules (it overlapped with
another one, was priced by several charges, or a void was credited in full beside what
had been forgiven) gets a revision of 0 that says what it comes to now. The difference
is noted as forgiven, or added: to the price only, as no document says it.
"""

import json
import logging
import time
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import NamedTuple

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, split_every
from odoo.tools.sql import table_exists

from odoo.addons.fusion_centralized_billing.engine.billing.ledger import Adjustment
from odoo.addons.fusion_centralized_billing.engine.billing.pricing import PriceTerms
from odoo.addons.fusion_centralized_billing.engine.billing.rating import (
    Agreement,
    Standing,
    next_revision,
)

_logger = logging.getLogger(__name__)

# With what the ledger says of them: charged, as documents do, and by which revisions.
SUSPECTS = """
    SELECT a.id, w.subscription_id, a.metric_id, w.start, w."end", c.rounding::text,
           a.terms, a.rate_from::text, a.rate_to::text,
           bool_or(n.is_cut), max(n.id) FILTER (WHERE n.state = 'open'),
           coalesce(sum(n.amount) FILTER (WHERE n.state = 'open'
                                            AND NOT n.superseded), 0)::text,
           (array_agg(r.quantity::text ORDER BY n.superseded, n.number DESC))[1],
           (array_agg(r.quantity::text ORDER BY n.number DESC))[1],
           max(n.number) FILTER (WHERE n.state <> 'open'),
           coalesce(sum(n.amount) FILTER (WHERE n.state = 'invoiced'), 0)::text,
           array_agg(n.number ORDER BY n.number)
               FILTER (WHERE n.state = 'invoiced' AND n.amount <> 0),
           a.peak_share
      FROM fusion_billing_window_charge a
      JOIN fusion_billing_window w ON w.id = a.window_id
      JOIN res_currency c ON c.id = w.currency_id
      JOIN fc_numbered n ON n.window_id = a.window_id AND n.metric_id = a.metric_id
      JOIN fusion_billing_rating r ON r.id = n.id
     WHERE a.state = 'settled'
     GROUP BY a.id, w.id, c.id
    HAVING bool_or(n.is_cut)
        OR NOT bool_or(n.state = 'open')
       AND (bool_or(n.is_joined)
            OR count(*) FILTER (WHERE n.state = 'invoiced') > 1
               AND EXISTS (SELECT FROM fusion_billing_adjustment x
                            WHERE x.agreement_id = a.id)
            OR coalesce(sum(n.amount) FILTER (WHERE n.state = 'invoiced'), 0)
               <> (array_agg(n.rounded ORDER BY n.superseded, n.number DESC))[1])
     ORDER BY a.id
"""
ADJUSTMENTS = """
    SELECT x.agreement_id, r.window_amount::text, x.forgiven::text
      FROM fusion_billing_adjustment x
      JOIN fusion_billing_rating r ON r.id = x.rating_id
     WHERE r.state = 'invoiced'
     ORDER BY x.id
"""
REVISION = """
    UPDATE fusion_billing_rating SET revision = revision + 1
     WHERE id = %(open)s;
    INSERT INTO fusion_billing_rating
           (subscription_id, partner_id, company_id, charge_id, metric_id, window_id,
            agreement_id, window_start, window_end, revision, quantity, included,
            billable, window_amount, amount, amount_untaxed, counted, currency_id,
            product_id, charge_currency_id, terms, rate_from, rate_to, discount,
            explanation, peak_share, closed_at, state, create_uid, create_date,
            write_uid, write_date)
    SELECT a.subscription_id, o.partner_id, a.company_id, a.charge_id, a.metric_id,
           w.id, a.id, w.start, w."end", %(revision)s, %(quantity)s, %(included)s,
           %(billable)s, %(window_amount)s, 0, 0, %(counted)s::jsonb, w.currency_id,
           a.product_id, a.charge_currency_id, a.terms, a.rate_from, a.rate_to,
           a.discount, %(explanation)s::jsonb, a.peak_share, now() AT TIME ZONE 'UTC',
           'invoiced', 1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM fusion_billing_window_charge a
      JOIN fusion_billing_window w ON w.id = a.window_id
      JOIN sale_order o ON o.id = a.subscription_id
     WHERE a.id = %(agreement)s
    RETURNING id
"""
# Both are of no document: the first counts for the price, the second, as it has ended,
# only for what has been charged, so that the sum is what documents say.
BALANCE = """
    INSERT INTO fusion_billing_adjustment
           (rating_id, agreement_id, company_id, forgiven, ended_by_id, create_uid,
            create_date, write_uid, write_date)
    SELECT r.id, r.agreement_id, r.company_id, v.forgiven, v.ended_by, 1,
           now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM fusion_billing_rating r,
           (VALUES (%(amount)s::numeric, NULL::int4),
                   (-%(amount)s::numeric, %(rating)s)) AS v(forgiven, ended_by)
     WHERE r.id = %(rating)s
"""
# The line says its amount without tax, where it charges what was rated.
UNTAXED_BY_LINE = """
    UPDATE fusion_billing_rating r
       SET amount_untaxed = l.price_subtotal
                            * CASE WHEN l.price_unit * r.amount < 0 THEN -1 ELSE 1 END
      FROM account_move_line l
     WHERE l.id = r.invoice_line_id AND r.product_id = ANY(%s) AND r.amount <> 0
       AND abs(l.price_unit * l.quantity) = abs(r.amount)
       AND coalesce(l.discount, 0) = 0
 RETURNING r.id
"""


def migrate(cr, _version):
    cr.execute("SELECT to_regclass('pg_temp.fc_numbered') IS NOT NULL")
    if not cr.fetchone()[0] or not table_exists(cr, "fusion_billing_adjustment"):
        return
    begin = time.monotonic()
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute(
        "ANALYZE fusion_billing_rating, fusion_billing_window,"
        " fusion_billing_window_charge, fusion_billing_adjustment"
    )
    seconds = []
    for step in (balance, say_untaxed, take_digests, ask_flags):
        start = time.monotonic()
        step(env)
        seconds.append(f"{step.__name__} {time.monotonic() - start:.1f} s")
    cr.execute(
        "DROP TABLE fc_order, fc_open, fc_rated, fc_span, fc_place, fc_made, fc_row,"
        " fc_numbered, fc_joined, fc_line"
    )
    _logger.info(
        "Billing ledger: %s; %.1f s", ", ".join(seconds), time.monotonic() - begin
    )


class Suspect(NamedTuple):
    """A row of ``SUSPECTS``."""

    agreement: int
    order: int
    metric: int
    start: datetime
    end: datetime
    step: str
    terms: dict
    rate_from: str | None
    rate_to: str | None
    is_cut: bool
    open: int | None  # its id
    open_amount: str
    priced_quantity: str
    last_quantity: str
    last: int
    invoiced: str
    counted: list[int] | None
    peak: int


def balance(env):
    """Keep what settled windows were charged."""
    env.cr.execute(SUSPECTS)
    suspects = [Suspect(*row) for row in env.cr.fetchall()]
    _logger.info("Billing ledger: %s agreements in doubt", len(suspects))
    env.cr.execute(ADJUSTMENTS)
    adjustments = defaultdict(list)
    for agreement, rated, forgiven in env.cr.fetchall():
        adjustments[agreement].append(Adjustment(Decimal(rated), Decimal(forgiven)))
    cut = [suspect for suspect in suspects if suspect.is_cut]
    used = dict(zip((s.agreement for s in cut), used_in(env, cut), strict=True))
    for suspect in suspects:
        # Of the others the ledger knows: usage still to be rated is not forgiven.
        quantity = used.get(suspect.agreement, Decimal(suspect.priced_quantity))
        balance_one(env, suspect, quantity, tuple(adjustments[suspect.agreement]))
    env.invalidate_all()


def used_in(env, suspects):
    """The usage that lies in each window now (list of Decimal)."""
    Order = env["sale.order"].browse([s.order for s in suspects])
    Metric = env["fusion.billing.metric"].browse([s.metric for s in suspects])
    windows = [
        (Order.browse(s.order), Metric.browse(s.metric), s.start, s.end)
        for s in suspects
    ]
    return env["fusion.billing.usage"]._aggregate_windows(windows) if windows else []


def balance_one(env, suspect, quantity, adjustments):
    charged = Decimal(suspect.invoiced) - sum(a.forgiven for a in adjustments)
    revision = next_revision(
        Agreement(
            charge=0,
            product=0,
            currency=0,
            terms=PriceTerms.from_dict(suspect.terms),
            rate_from=suspect.rate_from and Decimal(suspect.rate_from),
            rate_to=suspect.rate_to and Decimal(suspect.rate_to),
        ),
        quantity,
        Decimal(suspect.step),
        Standing(
            charged=charged,
            counted=tuple(suspect.counted or ()),
            adjustments=adjustments,
            peak=suspect.peak,
        ),
    )
    amount = revision.amount - Decimal(suspect.open_amount)
    if not amount and (suspect.open or quantity == Decimal(suspect.last_quantity)):
        return
    env.cr.execute(
        REVISION,
        {
            "agreement": suspect.agreement,
            "open": suspect.open,
            "revision": 0 if suspect.last is None else suspect.last + 1,
            "quantity": revision.quantity,
            "included": revision.included,
            "billable": revision.billable,
            "window_amount": revision.window_amount,
            "counted": json.dumps(revision.counted),
            "explanation": json.dumps(revision.explanation),
        },
    )
    [rating] = env.cr.fetchone()
    if amount:
        env.cr.execute(BALANCE, {"rating": rating, "amount": amount})


def say_untaxed(env):
    """The amounts without tax of products whose prices hold it."""
    env.cr.execute("SELECT DISTINCT product_id FROM fusion_billing_rating")
    products = env["product.product"].browse(p for [p] in env.cr.fetchall())
    taxed = products.filtered(lambda p: any(p.taxes_id.mapped("price_include")))
    if not taxed:
        return
    env.cr.execute(UNTAXED_BY_LINE, [taxed.ids])
    done = [rating for [rating] in env.cr.fetchall()]
    env.cr.execute(
        """
        SELECT product_id, company_id, currency_id, amount::text, array_agg(id)
          FROM fusion_billing_rating
         WHERE product_id = ANY(%s) AND amount <> 0 AND id <> ALL(%s)
         GROUP BY 1, 2, 3, 4
        """,
        [taxed.ids, done],
    )

    untaxed = env["fusion.billing.rates"]._untaxed_reader()
    for product, company, currency, amount, ratings in env.cr.fetchall():
        window = SimpleNamespace(company=company, currency=currency)
        env.cr.execute(
            "UPDATE fusion_billing_rating SET amount_untaxed = %s WHERE id = ANY(%s)",
            [untaxed(product, window, Decimal(amount)), ratings],
        )


def take_digests(env):
    digests = env["fusion.billing.window"]._digests(SQL("w.is_settled"), now=True)
    env.cr.execute(
        SQL(
            "UPDATE fusion_billing_window w SET digest = d.digest,"
            " digest_until = d.until, digest_count = d.count"
            "  FROM (%s) d WHERE d.window_id = w.id",
            digests,
        )
    )


def ask_flags(env):
    """Ask of all usage anew whether a window bills it, and have all orders rated."""
    env.cr.execute(
        """
        SELECT id FROM sale_order o WHERE o.is_subscription
           AND (EXISTS (SELECT FROM fusion_billing_window w
                         WHERE w.subscription_id = o.id)
                OR EXISTS (SELECT FROM fusion_billing_usage u
                            WHERE u.subscription_id = o.id))
        """
    )
    orders = env["sale.order"].browse(key for [key] in env.cr.fetchall())
    for ids in split_every(1000, orders.ids, list):
        batch = orders.browse(ids)
        env["fusion.billing.allocation"]._allocate(
            batch, dict.fromkeys(ids, datetime.min)
        )
        batch.invalidate_recordset(flush=False)
    env["fusion.billing.rating.queue"]._add(orders)
