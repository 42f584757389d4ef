"""Nobody is charged anything by what has become of the ledger.

A settled window that would come to another amount by today's rules (it overlapped with
another one, was priced by several charges, or a void was credited in full beside what
had been forgiven) gets a revision of 0 that says what it comes to now. The difference
is noted as forgiven, or added: to the price only, as no document says it.
"""

import json
import logging
import time
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, split_every
from odoo.tools.sql import table_exists

from odoo.addons.fusion_centralized_billing.engine.billing import money
from odoo.addons.fusion_centralized_billing.engine.billing.rating import next_revision

_logger = logging.getLogger(__name__)

SUSPECTS = """
    SELECT a.id, a.window_id, bool_or(n.is_cut),
           coalesce(sum(n.amount) FILTER (WHERE n.state = 'open'
                                            AND NOT n.superseded), 0)::text,
           bool_or(n.state = 'open'),
           (array_agg(r.quantity::text ORDER BY n.superseded, n.number DESC))[1]
      FROM fusion_billing_window_charge a
      JOIN fc_numbered n ON n.window_id = a.window_id AND n.metric_id = a.metric_id
      JOIN fusion_billing_rating r ON r.id = n.id
     WHERE a.state = 'settled'
     GROUP BY a.id, a.window_id
    HAVING bool_or(n.is_cut)
        OR NOT bool_or(n.state = 'open')
       AND (bool_or(n.is_joined)
            OR count(*) FILTER (WHERE n.state = 'invoiced') > 1
               AND EXISTS (SELECT FROM fusion_billing_adjustment x
                            WHERE x.agreement_id = a.id)
            OR coalesce(sum(n.amount) FILTER (WHERE n.state = 'invoiced'), 0)
               <> (array_agg(n.rounded ORDER BY n.superseded, n.number DESC))[1])
"""
REVISION = """
    UPDATE fusion_billing_rating SET revision = revision + 1
     WHERE agreement_id = %(agreement)s AND state = 'open';
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
    # Without them what follows takes a minute instead of a second; the constraint that
    # has such an index is only made later.
    cr.execute(
        "CREATE INDEX fc_agreement ON fusion_billing_rating (agreement_id);"
        "ANALYZE fusion_billing_rating, fusion_billing_window,"
        " fusion_billing_window_charge, fusion_billing_adjustment"
    )
    seconds = []
    for step in (balance, say_untaxed, take_digests, ask_flags):
        start = time.monotonic()
        step(env)
        seconds.append(f"{step.__name__} {time.monotonic() - start:.1f} s")
    cr.execute(
        "DROP INDEX fc_agreement;"
        "DROP TABLE fc_order, fc_open, fc_rated, fc_span, fc_place, fc_made, fc_row,"
        " fc_numbered, fc_joined, fc_line"
    )
    _logger.info(
        "Billing ledger: %s; %.1f s", ", ".join(seconds), time.monotonic() - begin
    )


def balance(env):
    """Keep what settled windows were charged."""
    env.cr.execute(SUSPECTS)
    suspects = {key: rest for key, *rest in env.cr.fetchall()}
    _logger.info("Billing ledger: %s agreements in doubt", len(suspects))
    for keys in split_every(500, suspects, list):
        balance_some(env, {key: suspects[key] for key in keys})
    env.invalidate_all()


def balance_some(env, suspects):
    rater = env["fusion.billing.rater"]
    windows = list({window for window, *_rest in suspects.values()})
    found = rater._rows(SQL("w.id = ANY(%s)", windows))
    orders = env["sale.order"].browse({window.order for window in found})
    jobs = [job for job in rater._jobs(orders, found) if job.key in suspects]
    standing = rater._standing([job.key for job in jobs])
    quantities = rater._quantities(jobs)
    for job, used in zip(jobs, quantities, strict=True):
        _window, is_cut, expected, has_open, rated = suspects[job.key]
        known = standing[job.key]
        # Usage that is still to be rated is not forgiven.
        quantity = used if is_cut else Decimal(rated)
        currency = env["res.currency"].browse(job.window.currency)
        step = money.to_decimal(currency.rounding)
        revision = next_revision(
            job.agreement, quantity, step, replace(known, open=None)
        )
        amount = revision.amount - Decimal(expected)
        same = has_open or quantity == known.quantity
        if not amount and same:
            continue
        env.cr.execute(
            REVISION,
            {
                "agreement": job.key,
                "revision": known.revision + (known.open is None),
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
            " digest_until = d.until FROM (%s) d WHERE d.window_id = w.id",
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
