from odoo import models
from odoo.tools import split_every, str2bool

CONSOLIDATION = "sale_subscription.invoice_consolidation"


class SaleSubscriptionOrderInvoiceSharing(models.AbstractModel):
    """Which subscriptions share an invoice of the run, and what becomes of it then."""

    _name = "sale.subscription.order.invoice.sharing"
    _description = "Shared Invoices of Subscriptions"

    def _get_batches(self, size):
        """Split these up into what is invoiced in one go.

        :param int size: at most so many that have an invoice of their own
        :rtype: Iterator[sale.order recordset]
        """
        alone, groups = self._get_invoice_groups()
        yield from map(self.browse, split_every(size, alone.ids))
        yield from groups

    def _get_invoice_groups(self):
        """Tell which of these share an invoice, as the company or the payer wants it.

        What the plans say of posting and sending counts for the whole invoice, so it
        has to be the same.

        :return: (those that have one of their own, groups of those that share one)
        :rtype: tuple[sale.order recordset, list[sale.order recordset]]
        """
        parameter = self.env["ir.config_parameter"].sudo().get_param(CONSOLIDATION)
        wanted = self
        if not str2bool(parameter or "", default=False):
            wanted = self.filtered(
                lambda o: o.partner_invoice_id.sudo().subscriptions_on_one_invoice
            )
        if not wanted:
            return self, []
        keys = [k for k in self._get_auto_invoice_grouping_keys() if k in self._fields]
        groups = wanted.grouped(
            lambda o: (
                *(o[key] for key in keys),
                o.plan_id.invoice_posting,
                o.plan_id.invoice_mail_template_id,
            )
        ).values()
        shared = [group for group in groups if len(group) > 1]
        return self - self.browse().union(*shared), shared

    def _get_auto_invoice_grouping_keys(self):
        """Return what subscriptions on one invoice of the run have in common.

        A hook for modules. It counts for payers who want one invoice, and for all while
        the system parameter ``sale_subscription.invoice_consolidation`` is set.

        :return: names of fields of sale.order
        :rtype: list[str]
        """
        return [
            *self._get_invoice_grouping_keys(),
            *("partner_invoice_id", "payment_term_id", "payment_token_id"),
            *("journal_id", "next_invoice_date"),
        ]

    def _post_recurring_invoices(self, moves):
        """Post the invoices and have them sent, as the plan says.

        :param moves: account.move recordset of these subscriptions, which have one
            plan, in draft
        """
        ours = SaleSubscriptionOrderInvoiceSharing._process_auto_invoice
        if type(self)._process_auto_invoice is ours:
            self._process_auto_invoice(moves)  # all at once is several times faster
        else:
            # Some module decides what happens: about each invoice by itself.
            for move in moves:
                orders = move.line_ids.sale_line_ids.order_id
                (self & orders)._process_auto_invoice(move)
        moves = moves.filtered(lambda move: move.state == "posted")
        if moves and self.plan_id.invoice_mail_template_id:
            moves._send_as_planned()

    def _process_auto_invoice(self, invoice):
        """Post an invoice that the run made; a hook for modules.

        What it leaves in draft waits for a person, and so does the next period. It is
        not asked about invoices that the plan leaves in draft.

        :param invoice: account.move, in draft; of the subscription(s) in ``self``
        """
        invoice._post(soft=False)
