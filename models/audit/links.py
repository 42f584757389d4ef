from odoo import models
from odoo.tools import SQL


class FusionBillingAuditLinks(models.AbstractModel):
    """I9: company, customer and currency of what belongs together agree."""

    _name = "fusion.billing.audit.links"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of Companies, Customers and Currencies"

    def _check_i9(self, scope):
        count = self._count(
            SQL(
                """
                SELECT count(*) FROM fusion_billing_rating r
                  JOIN sale_order o ON o.id = r.subscription_id WHERE %s
                """,
                scope,
            )
        )
        return count, [
            self._found("other_company", self._companies(scope)),
            self._found("window_company", self._window_companies(scope)),
            self._found("usage_of_other_company", self._usage_companies(scope)),
            self._found("other_currency", self._currencies(scope)),
            self._found("window_currency", self._window_currencies(scope)),
            self._found("other_customer", self._customers(scope)),
            self._found("window_customer", self._window_customers(scope)),
            self._found("other_invoice", self._invoices(scope)),
            self._found("other_order", self._orders(scope)),
            self._found("other_window", self._windows(scope)),
        ]

    def _about(self, columns, joins, condition, scope):
        """Ratings ``r`` with their window ``w`` and invoice ``i`` (SQL)."""
        return SQL(
            """
            SELECT %s, %s
              FROM fusion_billing_rating r
              JOIN sale_order o ON o.id = r.subscription_id
              JOIN fusion_billing_window w ON w.id = r.window_id
              LEFT JOIN account_move i ON i.id = r.invoice_id
              %s
             WHERE %s AND %s
            """,
            self._rating_columns(),
            columns,
            joins,
            condition,
            scope,
        )

    def _of_windows(self, columns, joins, condition, scope):
        """Windows ``w`` of orders ``o`` (SQL)."""
        return SQL(
            """
            SELECT w.subscription_id, w.start AS window_start, w."end" AS window_end,
                   %s
              FROM fusion_billing_window w
              JOIN sale_order o ON o.id = w.subscription_id
              %s
             WHERE %s AND %s
            """,
            columns,
            joins,
            condition,
            scope,
        )

    # -- company ---------------------------------------------------------------

    def _companies(self, scope):
        return self._about(
            SQL("c.name AS expected, other.name AS found"),
            SQL(
                """
                JOIN fusion_billing_charge charge ON charge.id = r.charge_id
                JOIN res_company c ON c.id = o.company_id
                JOIN res_company other
                  ON other.id <> c.id
                 AND other.id IN (r.company_id, charge.company_id, i.company_id)
                """
            ),
            SQL("TRUE"),
            scope,
        )

    def _window_companies(self, scope):
        return self._of_windows(
            SQL("c.name AS expected, other.name AS found"),
            SQL(
                """
                JOIN res_company c ON c.id = o.company_id
                JOIN res_company other
                  ON other.id <> c.id
                 AND (other.id = w.company_id OR other.id IN (
                      SELECT a.company_id FROM fusion_billing_window_charge a
                       WHERE a.window_id = w.id))
                """
            ),
            SQL("TRUE"),
            scope,
        )

    def _usage_companies(self, scope):
        return SQL(
            """
            SELECT u.subscription_id, u.service_id, c.name AS expected,
                   other.name AS found, u.events::text AS other
              FROM (SELECT subscription_id, service_id, count(*) AS events
                      FROM fusion_billing_usage
                     GROUP BY subscription_id, service_id) u
              JOIN sale_order o ON o.id = u.subscription_id
              JOIN fusion_billing_service s ON s.id = u.service_id
              JOIN res_company c ON c.id = o.company_id
              JOIN res_company other ON other.id = s.company_id
             WHERE s.company_id <> o.company_id AND %s
            """,
            scope,
        )

    # -- currency --------------------------------------------------------------

    def _currencies(self, scope):
        """A rating is in the currency of its window, and so is what bills it.

        What came to 0 goes with whatever invoice is made next.
        """
        return self._about(
            SQL("c.name AS expected, other.name AS found"),
            SQL(
                """
                LEFT JOIN account_move_line l ON l.id = r.invoice_line_id
                JOIN res_currency c ON c.id = w.currency_id
                JOIN res_currency other
                  ON other.id <> c.id
                 AND other.id IN (r.currency_id, l.currency_id,
                                  CASE WHEN r.amount <> 0 THEN i.currency_id END)
                """
            ),
            SQL("TRUE"),
            scope,
        )

    def _window_currencies(self, scope):
        """The subscription's own, or that of a life before the present one.

        Such a life has invoices in its currency, or windows in the present one follow.
        """
        return self._of_windows(
            SQL("c.name AS expected, other.name AS found"),
            SQL(
                """
                JOIN res_currency c ON c.id = o.currency_id
                JOIN res_currency other ON other.id = w.currency_id
                """
            ),
            SQL(
                """
                w.currency_id <> o.currency_id AND NOT EXISTS (
                    SELECT FROM sale_order_line ol
                      JOIN sale_order_line_invoice_rel rel
                        ON rel.order_line_id = ol.id
                      JOIN account_move_line l ON l.id = rel.invoice_line_id
                      JOIN account_move i ON i.id = l.move_id
                     WHERE ol.order_id = o.id AND i.currency_id = w.currency_id)
                AND NOT EXISTS (
                    SELECT FROM fusion_billing_window later
                     WHERE later.subscription_id = o.id AND later.start >= w."end"
                       AND later.currency_id = o.currency_id)
                """
            ),
            scope,
        )

    # -- customer --------------------------------------------------------------

    def _customers(self, scope):
        """An invoice is the window's customer's, or of who pays for the order now."""
        return self._about(
            SQL("customer.name AS expected, other.name AS found"),
            SQL(
                """
                JOIN res_partner p ON p.id = coalesce(w.partner_id, o.partner_id)
                JOIN res_partner customer ON customer.id = p.commercial_partner_id
                JOIN res_partner own ON own.id = o.partner_id
                LEFT JOIN res_partner payer ON payer.id = o.partner_invoice_id
                JOIN res_partner other ON other.id = i.commercial_partner_id
                """
            ),
            SQL(
                """
                i.commercial_partner_id IS DISTINCT FROM p.commercial_partner_id
                AND i.commercial_partner_id
                    IS DISTINCT FROM own.commercial_partner_id
                AND i.commercial_partner_id
                    IS DISTINCT FROM payer.commercial_partner_id
                """
            ),
            scope,
        )

    def _window_customers(self, scope):
        """The subscription's own, or a former one, who has invoices of it."""
        return self._of_windows(
            SQL("own.name AS expected, other.name AS found"),
            SQL(
                """
                JOIN res_partner own ON own.id = o.partner_id
                JOIN res_partner other ON other.id = w.partner_id
                """
            ),
            SQL(
                """
                other.commercial_partner_id
                    IS DISTINCT FROM own.commercial_partner_id
                AND NOT EXISTS (
                    SELECT FROM sale_order_line ol
                      JOIN sale_order_line_invoice_rel rel
                        ON rel.order_line_id = ol.id
                      JOIN account_move_line l ON l.id = rel.invoice_line_id
                      JOIN account_move i ON i.id = l.move_id
                     WHERE ol.order_id = o.id
                       AND other.commercial_partner_id = i.commercial_partner_id)
                """
            ),
            scope,
        )

    # -- one thing and its parts -----------------------------------------------

    def _invoices(self, scope):
        return self._about(
            SQL("i.name AS expected, billed.name AS found"),
            SQL(
                """
                JOIN account_move_line l ON l.id = r.invoice_line_id
                JOIN account_move billed ON billed.id = l.move_id
                """
            ),
            SQL("r.state <> 'released' AND l.move_id IS DISTINCT FROM r.invoice_id"),
            scope,
        )

    def _orders(self, scope):
        """Ratings whose invoice line is not one of their own order."""
        return self._about(
            SQL(
                """
                o.name AS expected, coalesce((
                    SELECT min(other.name)
                      FROM sale_order_line_invoice_rel rel
                      JOIN sale_order_line ol ON ol.id = rel.order_line_id
                      JOIN sale_order other ON other.id = ol.order_id
                     WHERE rel.invoice_line_id = r.invoice_line_id), '-') AS found
                """
            ),
            SQL(""),
            SQL(
                """
                r.invoice_line_id IS NOT NULL AND r.state <> 'released'
                AND NOT EXISTS (
                    SELECT FROM sale_order_line_invoice_rel rel
                      JOIN sale_order_line ol ON ol.id = rel.order_line_id
                     WHERE rel.invoice_line_id = r.invoice_line_id
                       AND ol.order_id = r.subscription_id)
                """
            ),
            scope,
        )

    def _windows(self, scope):
        """Ratings, agreements and adjustments that are of another window."""
        return self._about(
            SQL("a.id::text AS expected, a.window_id::text AS found"),
            SQL(
                """
                JOIN fusion_billing_window_charge a ON a.id = r.agreement_id
                LEFT JOIN fusion_billing_adjustment x
                  ON x.rating_id = r.id AND x.agreement_id <> r.agreement_id
                """
            ),
            SQL(
                """
                (a.window_id <> r.window_id OR a.metric_id <> r.metric_id
                 OR a.subscription_id <> r.subscription_id
                 OR w.subscription_id <> r.subscription_id OR x.id IS NOT NULL)
                """
            ),
            scope,
        )
