from odoo import models
from odoo.tools import plaintext2html

NOT_SENT_ACTIVITY = "sale_subscription.mail_activity_type_invoice_not_sent"


class SaleSubscriptionInvoiceSending(models.AbstractModel):
    """Recurring invoices on their way to the customer."""

    _name = "sale.subscription.invoice.sending"
    _description = "Sending of Recurring Invoices"

    def _send_as_planned(self):
        """Hand invoices to Odoo's sending job, but for those that nobody would get.

        Left to that job because a mail cannot be taken back when the transaction fails
        afterwards. It takes what it can send to nobody for sent.
        """
        unreachable = self.filtered(lambda move: not move._has_recipient())
        if to_send := self - unreachable:
            to_send.sending_data = {
                "author_user_id": self.env.user.id,
                "author_partner_id": self.env.user.partner_id.id,
            }
            self.env.ref("account.ir_cron_account_move_send").sudo()._trigger()
        for move in unreachable.sudo():
            move._note_not_sent(
                self.env._("%s has no email address.", move.partner_id.display_name)
            )

    def _has_recipient(self):
        """Tell whether somebody would get this invoice.

        :rtype: bool
        """
        self.ensure_one()
        if self.partner_id.email:
            return True
        sending = self.env["account.move.send"]
        if "email" not in sending._get_default_sending_methods(self):
            return True  # by post, or in a network for invoices
        template = self._get_mail_template()
        if template.use_default_to:
            recipients = self._message_get_default_recipients()[self.id]
            found = self.env["res.partner"].browse(recipients["partner_ids"])
            return bool(recipients["email_to"] or found.filtered("email"))
        if template.email_to or template.email_cc:
            return True
        partner_to = template._render_field("partner_to", self.ids)[self.id]
        ids = template._parse_partner_to(partner_to)
        partners = self.env["res.partner"].sudo().browse(ids).exists()
        return bool(partners.filtered("email"))

    def _note_not_sent(self, problem):
        """Ask whoever is responsible for a subscription to send its invoice.

        One activity for each subscription: it names the last invoice.

        :param str problem: why it was not sent
        """
        self.ensure_one()
        text = self.env._(
            "The invoice %(invoice)s was not sent: %(problem)s",
            invoice=self.name,
            problem=problem,
        )
        for order in self._get_subscriptions():
            order.activity_unlink([NOT_SENT_ACTIVITY])
            order.activity_schedule(
                NOT_SENT_ACTIVITY,
                note=plaintext2html(text),
                user_id=(order.user_id or order.team_id.user_id).id,
            )
            order.message_post(body=text)

    def _is_final_without_sending(self):
        """Tell whether this posted invoice is what the customer gets, sent or not.

        Odoo calls a posted invoice a proforma until its file was made, which happens
        when it is sent; those of a plan without an email never would be. Where an
        electronic format or a service is to be used, that is still to come.

        :rtype: bool
        """
        self.ensure_one()
        sending = self.env["account.move.send"]
        return (
            self.state == "posted"
            and bool(self._get_subscriptions())
            and not sending._get_default_invoice_edi_format(self)
            and not sending._get_default_extra_edis(self)
        )

    def _get_invoice_proforma_pdf_report_filename(self):
        """Name the file of what is no proforma as the invoice's."""
        if self._is_final_without_sending():
            return self._get_invoice_report_filename()
        return super()._get_invoice_proforma_pdf_report_filename()

    def _get_mail_template(self):
        """Return the template of the plan, for the invoice of a subscription."""
        if all(move.move_type == "out_invoice" for move in self):
            plans = self.sudo()._get_subscriptions().plan_id
            if template := plans.invoice_mail_template_id[:1]:
                return template
        return super()._get_mail_template()
