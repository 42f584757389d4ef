from odoo import models
from odoo.tools import SQL


class FusionBillingAuditItems(models.AbstractModel):
    """I4 and I6: the journal items of usage, which are what the books say."""

    _name = "fusion.billing.audit.items"
    _inherit = ["fusion.billing.audit.check"]
    _description = "Audit of Journal Items of Usage"

    def _items(self, scope, columns, condition, more=None):
        """Posted lines ``l`` that bill usage, or credit it directly (SQL)."""
        return SQL(
            """
            WITH item AS (
                SELECT DISTINCT ON (l.id) l.id AS line_id, r.*
                  FROM fusion_billing_rating r
                  JOIN sale_order o ON o.id = r.subscription_id
                  JOIN account_move_line own ON own.id = r.invoice_line_id
                 CROSS JOIN LATERAL (
                       SELECT own.id
                        UNION
                       SELECT copy.id FROM account_move_line copy
                         JOIN account_move i ON i.id = copy.move_id
                        WHERE copy.fc_copied_from_id = own.id
                          AND i.reversed_entry_id = own.move_id) l
                 WHERE %s
                 ORDER BY l.id, r.id DESC
            )
            SELECT r.subscription_id, r.metric_id, r.charge_id, r.window_start,
                   r.window_end, r.id AS rating_id, i.id AS move_id, %s
              FROM item r
              JOIN account_move_line l ON l.id = r.line_id
              JOIN account_move i ON i.id = l.move_id AND i.state = 'posted'
              JOIN res_currency c ON c.id = l.currency_id
              JOIN res_company company ON company.id = l.company_id
              JOIN res_currency own ON own.id = company.currency_id
              %s
             WHERE %s
            """,
            scope,
            columns,
            more or SQL(""),
            condition,
        )

    # -- I4: what was posted did not change ------------------------------------

    def _check_i4(self, scope):
        words = [
            ("account", SQL("s.account_id"), SQL("l.account_id")),
            ("currency", SQL("s.currency_id"), SQL("l.currency_id")),
            ("price", SQL("s.price_unit"), SQL("l.price_unit")),
            ("quantity", SQL("s.quantity"), SQL("l.quantity")),
            (
                "discount",
                SQL("coalesce(s.discount, 0)"),
                SQL("coalesce(l.discount, 0)"),
            ),
            ("subtotal", SQL("s.price_subtotal"), SQL("l.price_subtotal")),
            ("amount", SQL("s.amount_currency"), SQL("l.amount_currency")),
            ("balance", SQL("s.balance"), SQL("l.balance")),
        ]
        differs = [
            SQL("%s IS DISTINCT FROM %s", sealed, present)
            for _name, sealed, present in words
        ]
        # Two accounts that Odoo has merged are one.
        differs[0] = SQL(
            "(%s AND EXISTS (SELECT FROM account_account x WHERE x.id = s.account_id))",
            differs[0],
        )

        def said(index):
            return SQL(
                "concat_ws(', ', %s)",
                SQL(", ").join(
                    SQL(
                        "CASE WHEN %s THEN %s || ' ' || (%s)::text END",
                        differ,
                        word[0],
                        word[index],
                    )
                    for word, differ in zip(words, differs, strict=True)
                ),
            )

        changed = self._items(
            scope,
            SQL("%s AS expected, %s AS found", said(1), said(2)),
            SQL(" OR ").join(differs),
            SQL("JOIN fusion_billing_audit_seal s ON s.line_id = l.id"),
        )
        return 0, [self._found("item_changed", changed)]

    # -- I6: the books say what the document does ------------------------------

    def _check_i6(self, scope):
        """In both currencies, to the cent; to two cents where the price holds tax."""
        return 0, [
            self._found("item_subtotal", self._subtotals(scope)),
            self._found("item_amount", self._amounts(scope)),
            self._found("item_balance", self._balances(scope)),
            self._found("item_account", self._accounts(scope)),
        ]

    def _subtotals(self, scope):
        return self._items(
            scope,
            SQL(
                """
                trim_scale(round(l.price_unit * l.quantity
                    * (1 - coalesce(l.discount, 0) / 100), c.decimal_places))::text
                AS expected, trim_scale(l.price_subtotal)::text AS found
                """
            ),
            SQL(
                """
                NOT EXISTS (SELECT FROM account_move_line_account_tax_rel t
                             WHERE t.account_move_line_id = l.id)
                AND l.price_subtotal <> round(l.price_unit * l.quantity
                    * (1 - coalesce(l.discount, 0) / 100), c.decimal_places)
                """
            ),
        )

    def _amounts(self, scope):
        sign = SQL("CASE WHEN i.move_type = 'out_refund' THEN 1 ELSE -1 END")
        taxed = SQL(
            """
            (l.price_subtotal <> l.price_total
             AND EXISTS (SELECT FROM account_move_line_account_tax_rel t
                          WHERE t.account_move_line_id = l.id))
            """
        )
        return self._items(
            scope,
            SQL(
                "(%(sign)s * l.price_subtotal)::text AS expected,"
                " l.amount_currency::text AS found",
                sign=sign,
            ),
            SQL(
                "abs(l.amount_currency - %s * l.price_subtotal)"
                " > CASE WHEN %s THEN 2 * c.rounding ELSE 0 END",
                sign,
                taxed,
            ),
        )

    def _balances(self, scope):
        rate = SQL("coalesce(nullif(i.invoice_currency_rate, 0), 1)")
        return self._items(
            scope,
            SQL(
                "trim_scale(round((CASE WHEN l.currency_id = own.id"
                " THEN l.amount_currency ELSE l.amount_currency / %s END)::numeric,"
                " own.decimal_places))::text AS expected, l.balance::text AS found",
                rate,
            ),
            SQL(
                "abs(l.balance - CASE WHEN l.currency_id = own.id"
                " THEN l.amount_currency ELSE l.amount_currency / %s END)"
                " > CASE WHEN l.currency_id = own.id THEN 0 ELSE own.rounding END",
                rate,
            ),
        )

    def _accounts(self, scope):
        return self._items(
            scope,
            SQL("'' AS expected, x.account_type AS found"),
            SQL(
                """
                x.account_type IN ('asset_receivable', 'liability_payable',
                                   'asset_cash', 'liability_credit_card',
                                   'off_balance')
                """
            ),
            SQL("JOIN account_account x ON x.id = l.account_id"),
        )
