"""All that is read of a database."""

ORDERS = """
    SELECT json_build_object('zone', coalesce(c.fc_billing_tz, 'UTC'),
                             'waits', EXISTS (
                                 SELECT FROM fusion_billing_rating_queue q
                                  WHERE q.subscription_id = o.id))::text,
           o.id, o.name, o.state, o.subscription_state, o.plan_id, o.company_id,
           o.start_date, o.last_invoice_date, o.next_invoice_date, o.end_date,
           o.fiscal_position_id
      FROM sale_order o
      JOIN res_company c ON c.id = o.company_id
     WHERE o.id IN (SELECT subscription_id FROM fusion_billing_usage
                     UNION SELECT subscription_id FROM fusion_billing_window
                     UNION SELECT subscription_id FROM fusion_billing_rating)
     ORDER BY o.id
"""
WINDOWS = """
    SELECT w.subscription_id, w.start, w.id, w."end", w.first_day, w.end_day, w.tz,
           w.kind, w.is_settled IS TRUE, w.plan_id, y.rounding::text, w.company_id
      FROM fusion_billing_window w
      JOIN res_currency y ON y.id = w.currency_id
     ORDER BY w.subscription_id, w.start, w.id
"""
CHAINS = """
    SELECT o.name, w.root_id, w.start, w."end"
      FROM fusion_billing_window w JOIN sale_order o ON o.id = w.subscription_id
     ORDER BY w.root_id, w.start, w.id
"""
AGREEMENTS = """
    SELECT subscription_id, id, window_id, metric_id, charge_id, state, terms::text,
           rate_from::text, rate_to::text, coalesce(discount, 0)::text
      FROM fusion_billing_window_charge ORDER BY subscription_id, id
"""
RATINGS = """
    SELECT r.subscription_id, r.agreement_id, r.revision, r.id, r.state,
           r.quantity::text, r.amount::text, r.terms::text, r.rate_from::text,
           r.rate_to::text, coalesce(r.discount, 0)::text,
           coalesce(nullif(r.line_price, 0), r.amount)::text, r.window_start,
           r.window_end, l.id, v.state, v.name, r.invoice_id, b.state, v.id,
           v.fiscal_position_id
      FROM fusion_billing_rating r
      LEFT JOIN account_move_line l ON l.id = r.invoice_line_id
      LEFT JOIN account_move v ON v.id = l.move_id
      LEFT JOIN account_move b ON b.id = r.invoice_id
     ORDER BY r.subscription_id, r.agreement_id, r.revision, r.id
"""
EVENTS = """
    SELECT subscription_id, metric_id, period_start, id, quantity::text, unique_key,
           unallocated
      FROM fusion_billing_usage WHERE voided_at IS NULL
     ORDER BY subscription_id, metric_id, period_start, id
"""
ADJUSTMENTS = """
    SELECT x.rating_id, x.id, x.line_id, x.forgiven::text, x.ended_by_id IS NOT NULL,
           x.agreement_id
      FROM fusion_billing_adjustment x ORDER BY x.id
"""
# Lines of usage and copies of them: what each charges, and its journal item.
ITEMS = """
    SELECT l.id, l.fc_copied_from_id, v.id, v.reversed_entry_id, v.state, v.move_type,
           coalesce(v.fc_bill_again, FALSE), v.name, l.price_unit::text,
           l.quantity::text, coalesce(l.discount, 0)::text, l.price_subtotal::text,
           l.amount_currency::text, l.balance::text, y.rounding::text,
           own.rounding::text, l.currency_id = own.id AS is_own, l.currency_id,
           v.currency_id, coalesce(nullif(v.invoice_currency_rate, 0), 1)::text,
           EXISTS (SELECT FROM account_move_line_account_tax_rel t
                    WHERE t.account_move_line_id = l.id), a.account_type
      FROM account_move_line l
      JOIN account_move v ON v.id = l.move_id
      JOIN res_currency y ON y.id = v.currency_id
      JOIN res_company c ON c.id = v.company_id
      JOIN res_currency own ON own.id = c.currency_id
      LEFT JOIN account_account a ON a.id = l.account_id
     WHERE %s
"""
# Lines of usage on invoices, made for an order and not copied, that no rating explains.
# A credit note no longer knows what it was copied from once that is deleted.
UNEXPLAINED = """
    SELECT v.name, l.id, l.price_subtotal::text
      FROM sale_order_line s
      JOIN sale_order_line_invoice_rel m ON m.order_line_id = s.id
      JOIN account_move_line l ON l.id = m.invoice_line_id
      JOIN account_move v ON v.id = l.move_id
     WHERE s.fc_charge_id IS NOT NULL AND l.fc_copied_from_id IS NULL
       AND v.move_type = 'out_invoice' AND v.state != 'cancel'
       AND l.price_subtotal != 0
       AND NOT EXISTS (SELECT FROM fusion_billing_rating r
                        WHERE r.invoice_line_id = l.id)
"""
CHARGES = """
    SELECT c.id, c.metric_id, c.plan_id, c.company_id, c.active, c.date_start,
           c.date_end, c.charge_model, coalesce(c.included_quota, 0)::text,
           c.price_per_unit::text, c.unit_batch::text,
           coalesce(c.minimum_amount, 0)::text
      FROM fusion_billing_charge c
"""
TIERS = """
    SELECT charge_id, nullif(up_to, 0)::text, price_per_unit::text,
           coalesce(flat_fee, 0)::text
      FROM fusion_billing_charge_tier
     ORDER BY charge_id, nullif(up_to, 0) NULLS LAST, id
"""
METRICS = "SELECT id, code, aggregation FROM fusion_billing_metric"
# The time zones that a company cuts its windows in, or has cut them.
ZONES = """
    SELECT company_id, tz FROM fusion_billing_window
     UNION SELECT id, coalesce(fc_billing_tz, 'UTC') FROM res_company
"""
