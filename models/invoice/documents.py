from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...engine.billing import money
from ...engine.billing.ledger import CreditPart, in_ledger, judge_credits
from .document_lines import is_reversal, may_correct, net, signed


class FusionBillingDocuments(models.AbstractModel):
    """What invoices and credit notes say of the ratings on them.

    All of it follows from the documents as they are: whoever posts, resets, cancels,
    deletes, credits or reverses one has it asked anew, so that undoing a step is no
    other way than the step.
    """

    _name = "fusion.billing.documents"
    _description = "Ratings on Invoices"

    # -- made ------------------------------------------------------------------

    @api.model
    def _invoiced(self, orders, moves):
        """Put open ratings on the invoices just made of these orders.

        A rating of amount 0 has no invoice line: it goes with the invoice all the
        same, where that settles its window.
        """
        move_of = {
            order: line.move_id
            for line in moves.invoice_line_ids
            for order in line.sale_line_ids.order_id
        }
        last = self._last_event()
        for rating in orders._fc_open_ratings()._fc_billed_now():
            if rating.invoice_line_id:
                invoice = rating.invoice_line_id.move_id
            elif rating.amount or not rating.window_id.is_settled:
                continue
            else:
                invoice = move_of.get(rating.subscription_id)
            if invoice in moves:
                rating.write(
                    {
                        "state": "invoiced",
                        "invoice_id": invoice.id,
                        "usage_until": last,
                    }
                )
        for order, move in move_of.items():
            # Also those that a cancelled one had settled before.
            order.sudo().fc_window_ids.filtered(
                lambda w: w.is_settled and w.invoice_id.state in (False, "cancel")
            ).invoice_id = move

    def _last_event(self):
        """Id of the last event that this transaction sees."""
        self.env["fusion.billing.usage"].flush_model()
        [[last]] = self.env.execute_query(
            SQL("SELECT coalesce(max(id), 0) FROM fusion_billing_usage")
        )
        return last

    # -- asked anew ------------------------------------------------------------

    @api.model
    def _ratings_of(self, moves):
        """The ratings that these documents bill, credit, or reverse the credit of."""
        moves = moves.sudo()
        ratings, lines = moves.fc_rating_ids, moves.invoice_line_ids
        while lines:
            lines = lines.fc_copied_from_id
            ratings |= lines.fc_rating_ids
        return ratings.filtered(lambda r: r.state != "open")

    @api.model
    def _review(self, ratings, windows=None):
        """Bring ratings, agreements and adjustments in line with the documents.

        :param ratings: ``fusion.billing.rating`` records that were invoiced once
        :param windows: those that a deleted document had settled; else the document of
            each rating says so
        :raises UserError: something that was taken back and billed anew would count
            twice
        """
        ratings = ratings.sudo().exists()
        if not ratings:
            return
        # Adjustments without a line follow from no document: an update has made them.
        domain = [("rating_id", "in", ratings.ids), ("line_id", "!=", False)]
        known = self.env["fusion.billing.adjustment"].sudo().search(domain)
        known = known.grouped("rating_id")
        for rating in ratings:
            taken_back = self._is_taken_back(rating)
            credit, forgiven = rating.invoice_id.browse(), {}
            if rating.invoice_line_id:
                credit, forgiven = self._judge(rating)
            wanted = {} if taken_back or credit else forgiven
            self._adjust(rating, wanted, known.get(rating, ()))
            values = {"is_taken_back": taken_back, "released_by_id": credit.id}
            # A rating of amount 0 opens its agreement only where its own invoice has
            # settled the window; beside another document's bill it billed nothing.
            window, move = rating.window_id, rating.invoice_id
            settles = (
                windows and window in windows or move and window.invoice_id == move
            )
            if taken_back or credit:
                # As it was billed: what was agreed stays.
                keeps = not taken_back and credit.fc_at_billed_price
                opens = not keeps and (rating.amount or settles)
                self._release(rating, values, opens)
            else:
                self._reclaim(rating, values, rating.amount or settles)

    @api.model
    def _posted(self, moves):
        """Have adjustments of documents just posted made anew, in order of posting."""
        Adjustment = self.env["fusion.billing.adjustment"].sudo()
        Adjustment.search([("line_id", "in", moves.invoice_line_ids.ids)]).unlink()

    def _is_taken_back(self, rating):
        """Whether its invoice is cancelled or deleted, or its line taken off.

        A cancelled one that is a draft again counts only once it is posted.
        """
        move, line = rating.invoice_id, rating.invoice_line_id
        if not move or (rating.amount and not line):
            return True
        return move.state == "cancel" or (
            move.state == "draft" and rating.is_taken_back
        )

    def _judge(self, rating):
        """What the documents have made of the line of a rating.

        :return: (the credit note after which it is to be billed again, if any,
            {document line: how much of the rating it forgives})
        """
        line = rating.invoice_line_id
        step = money.to_decimal(rating.currency_id.rounding)
        amount = money.to_decimal(rating.amount or 0)
        put = money.to_decimal(rating.line_price or 0) or amount
        charged = in_ledger(signed(line), amount, put, step)
        credits = line.fc_copy_ids.filtered(is_reversal).sorted("id")
        parts = [
            CreditPart(
                -in_ledger(net(copy), amount, put, step),
                copy.move_id.move_type == "out_refund" and copy.move_id.fc_bill_again,
            )
            for copy in credits
        ]
        verdict = judge_credits(charged, parts)
        forgiven = dict(zip(credits, verdict.forgiven, strict=True))
        forgiven[line] = amount - charged
        last = line.browse()
        if verdict.released_by is not None:
            last = credits[verdict.released_by]
        return last.move_id, forgiven

    def _adjust(self, rating, forgiven, known):
        """Keep exactly these adjustments of a rating; what is kept keeps its place.

        :param dict forgiven: document line -> how much of the rating it forgives
        :param known: the ``fusion.billing.adjustment`` records there are of documents
        """
        Adjustment = self.env["fusion.billing.adjustment"].sudo()
        wanted = {line: amount for line, amount in forgiven.items() if amount}
        changed = False
        for adjustment in known:
            amount = wanted.pop(adjustment.line_id, None)
            if amount is None:
                adjustment.unlink()
                changed = True
            elif money.to_decimal(adjustment.forgiven) != amount:
                adjustment.forgiven = float(amount)
                changed = True
        # The lowest line first: the invoice line itself was edited before its credits.
        for line, amount in sorted(wanted.items(), key=lambda item: item[0].id):
            Adjustment.create(
                {
                    "rating_id": rating.id,
                    "agreement_id": rating.agreement_id.id,
                    "line_id": line.id,
                    "forgiven": float(amount),
                }
            )
            changed = True
        if changed:
            self._rate_again(rating)

    def _release(self, rating, values, opens):
        """Give a window back that will not be collected: it is billed anew.

        The row stays as it is, as history; being released it no longer counts as
        charged, nor does what was forgiven or added on its line. Where that ``opens``
        the agreement, it follows the charges again.
        """
        rating.write(values)
        if rating.state == "released":
            return
        rating.state = "released"
        if opens:
            rating.agreement_id.state = "open"
        self._rate_again(rating)

    def _reclaim(self, rating, values, agrees):
        """Count a released rating as charged again: what had released it is undone.

        :raises UserError: another invoice has billed the same usage meanwhile
        """
        if rating.state != "released":
            return
        if again := self._billed_again(rating):
            raise UserError(
                self.env._(
                    "The usage of %(rating)s was billed again by %(invoice)s. "
                    "Collecting %(first)s too would bill it twice.",
                    rating=rating.display_name,
                    invoice=again.invoice_id.display_name,
                    first=rating.invoice_id.display_name,
                )
            )
        rating.write({**values, "state": "invoiced"})
        self.env["fusion.billing.adjustment"].sudo().search(
            [("ended_by_id", "=", rating.id)]
        ).ended_by_id = False
        if agrees:
            self._agree_as(rating)
            rating.window_id.write({"is_settled": True})
        self._rate_again(rating)

    def _agree_as(self, rating):
        """The agreement is again what it was when this rating was invoiced."""
        rating.flush_recordset()
        self.env["fusion.billing.window.charge"].flush_model()
        self.env.cr.execute(
            """
            UPDATE fusion_billing_window_charge a
               SET charge_id = r.charge_id, product_id = r.product_id, terms = r.terms,
                   charge_currency_id = r.charge_currency_id, discount = r.discount,
                   rate_from = r.rate_from, rate_to = r.rate_to, state = 'settled',
                   rate_date = CASE (a.rate_from, a.rate_to) = (r.rate_from, r.rate_to)
                               WHEN TRUE THEN a.rate_date END
              FROM fusion_billing_rating r WHERE r.id = %s AND a.id = r.agreement_id
            """,
            [rating.id],
        )
        self.env["fusion.billing.window.charge"].invalidate_model(flush=False)

    def _rate_again(self, rating):
        self.env["fusion.billing.rating.queue"].sudo()._add(
            rating.subscription_id, rating.window_start
        )

    def _billed_again(self, rating):
        """An invoiced revision that bills what this one does, if there is one.

        Not one that billed what was left over by this one, or that this one did.
        """
        if not rating.amount:
            return rating.browse()
        invoiced = rating.search(
            [
                ("agreement_id", "=", rating.agreement_id.id),
                ("id", "!=", rating.id),
                ("state", "=", "invoiced"),
                ("amount", "!=", 0),
            ]
        )
        return invoiced.filtered(
            lambda other: (
                rating.revision not in (other.counted or ())
                and other.revision not in (rating.counted or ())
            )
        )[:1]

    # -- the whole invoice -----------------------------------------------------

    @api.model
    def _open_windows(self, moves):
        """Their invoice is gone: its windows follow the charges again, bounds stay."""
        Window = self.env["fusion.billing.window"].sudo()
        self._open_windows_of(Window.search([("invoice_id", "in", moves.ids)]))

    @api.model
    def _open_windows_of(self, windows):
        for window in windows:
            if all(a.state == "open" for a in window.agreement_ids):
                window.is_settled = False
        self.env["fusion.billing.rating.queue"].sudo()._add(windows.subscription_id)

    @api.model
    def _settle_windows(self, moves):
        """Their invoice counts again."""
        windows = self.env["fusion.billing.window"].sudo()
        windows = windows.search([("invoice_id", "in", moves.ids)])
        windows.write({"is_settled": True})

    @api.model
    def _check_nothing_credits(self, moves):
        """Refuse to take back a document while a credit note reverses its usage.

        Its usage would be billed anew, and given back again for a bill that is gone.

        :raises UserError: a document that is to be taken back is credited
        """
        lines = moves.filtered(lambda m: m.state == "posted").sudo().invoice_line_ids
        for copy in lines.fc_copy_ids.filtered(is_reversal) - lines:
            if net(copy):
                raise UserError(
                    self.env._(
                        "%(document)s was reversed by %(credit)s, which depends on "
                        "it. Reset or reverse the credit note first.",
                        document=copy.fc_copied_from_id.move_id.name,
                        credit=copy.move_id.name,
                    )
                )

    # -- corrected invoices ----------------------------------------------------

    @api.model
    def _take_over(self, lines):
        """Bill on corrected invoices what the credited one had billed.

        "Reverse and create invoice" makes a credit note and a new invoice, which has
        the usage lines of the old one. Its ratings are rows of their own. Where an
        earlier credit note has released the usage, the next invoice bills it, not this.
        """
        for line in lines.sudo().filtered(may_correct):
            credits = line.fc_copied_from_id.move_id.reversal_move_ids
            # Odoo makes the credit note right before the corrected invoice.
            credit = credits.filtered(lambda m, x=line: m.id < x.move_id.id)
            credit = credit.sorted("id")[-1:]
            for rating in line.fc_copied_from_id.fc_rating_ids:
                if (
                    rating.state == "released"
                    and rating.released_by_id == credit
                    and not rating.is_taken_back
                    and not line.fc_rating_ids
                ):
                    self._bill_again_by(rating, line)

    def _bill_again_by(self, rating, line):
        """Make the revision that the line of a corrected invoice bills."""
        rating.flush_model()
        # An open revision (late usage) stays the latest.
        self.env.cr.execute(
            "UPDATE fusion_billing_rating SET revision = revision + 1"
            " WHERE agreement_id = %s AND state = 'open'",
            [rating.agreement_id.id],
        )
        self.env.cr.execute(
            """
            INSERT INTO fusion_billing_rating
                   (subscription_id, partner_id, company_id, charge_id, metric_id,
                    window_id, agreement_id, window_start, window_end, revision,
                    quantity, included, billable, quota_share, window_amount, amount,
                    amount_untaxed, line_price, currency_id, product_id,
                    charge_currency_id, terms, rate_from, rate_to, discount,
                    explanation, peak_share, usage_until, counted, state, order_line_id,
                    invoice_line_id, invoice_id, create_uid, create_date, write_uid,
                    write_date)
            SELECT r.subscription_id, r.partner_id, r.company_id, r.charge_id,
                   r.metric_id, r.window_id, r.agreement_id, r.window_start,
                   r.window_end,
                   (SELECT max(revision) + 1 FROM fusion_billing_rating x
                     WHERE x.agreement_id = r.agreement_id AND x.state <> 'open'),
                   r.quantity, r.included, r.billable, r.quota_share, r.window_amount,
                   r.amount, r.amount_untaxed, r.line_price, r.currency_id,
                   r.product_id, r.charge_currency_id, r.terms, r.rate_from, r.rate_to,
                   r.discount, r.explanation, r.peak_share, r.usage_until,
                   (SELECT coalesce(jsonb_agg(x.revision ORDER BY x.revision), '[]')
                      FROM fusion_billing_rating x
                     WHERE x.agreement_id = r.agreement_id AND x.state = 'invoiced'
                       AND x.amount <> 0),
                   'invoiced', r.order_line_id, %s, %s,
                   %s, now() AT TIME ZONE 'UTC', %s, now() AT TIME ZONE 'UTC'
              FROM fusion_billing_rating r WHERE r.id = %s
            """,
            [line.id, line.move_id.id, self.env.uid, self.env.uid, rating.id],
        )
        self.env.invalidate_all()
        self._agree_as(rating)
        self._rate_again(rating)
