from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date, plaintext2html

RETRY_DAYS = (1, 3, 5, 7)  # from each failed charge to the next try
PAYMENT_ACTIVITY = "sale_subscription.mail_activity_type_payment_failed"
BILLING_GROUP = "account.group_account_invoice"


class SaleSubscriptionOrderPayment(models.AbstractModel):
    """The saved payment method of a subscription, and what became of charging it.

    How an invoice is charged is in order_charge.py.
    """

    _name = "sale.subscription.order.payment"
    _description = "Payment of Subscriptions"

    suitable_payment_token_ids = fields.Many2many(
        "payment.token",
        compute="_compute_suitable_payment_token_ids",
        compute_sudo=True,
    )
    payment_exception = fields.Boolean(
        string="Payment Failed",
        copy=False,
        readonly=True,
        help="An invoice could not be charged to the payment method.",
    )
    payment_exception_reason = fields.Text(
        string="Payment Problem", copy=False, readonly=True
    )
    payment_attempt_count = fields.Integer(
        string="Failed Charges", copy=False, readonly=True
    )
    payment_attempt_date = fields.Datetime(
        string="Last Charge", copy=False, readonly=True
    )
    payment_retry_date = fields.Date(
        string="Next Charge",
        copy=False,
        readonly=True,
        help="Empty after a failure: not charged again automatically.",
    )
    is_charge_possible = fields.Boolean(
        compute="_compute_is_charge_possible", compute_sudo=True
    )

    @api.depends("partner_id", "partner_invoice_id", "company_id")
    def _compute_suitable_payment_token_ids(self):
        for order in self:
            order.suitable_payment_token_ids = self.env["payment.token"].search(
                order._get_payment_token_domain()
            )

    @api.depends("payment_token_id", "state", "subscription_period_ids")
    def _compute_is_charge_possible(self):
        for order in self:
            order.is_charge_possible = bool(
                order.payment_token_id
                and order.state == "sale"
                and order.is_subscription
                and order._get_open_invoices()
            )

    # === WHICH TOKEN ===

    def _get_payment_token_domain(self):
        """Return the domain of the tokens this order may be paid with.

        Those of its customer, or of whom it is invoiced to, with a provider of its
        company.

        :rtype: Domain
        """
        self.ensure_one()
        partners = (self.partner_id | self.partner_invoice_id).commercial_partner_id
        return Domain("partner_id.commercial_partner_id", "in", partners.ids) & Domain(
            "company_id", "parent_of", self.company_id.ids
        )

    @api.constrains(
        "payment_token_id", "partner_id", "partner_invoice_id", "company_id"
    )
    def _check_payment_token_id(self):
        for order in self.sudo().filtered("payment_token_id"):
            token = order.payment_token_id
            if token.company_id not in order.company_id.parent_ids:
                raise ValidationError(
                    self.env._(
                        "%s needs a payment method of its own company.", order.name
                    )
                )
            if not token.filtered_domain(order._get_payment_token_domain()):
                raise ValidationError(
                    self.env._(
                        "The payment method %(token)s belongs to %(partner)s. %(order)s"
                        " needs one of its own customer and company.",
                        token=token.display_name,
                        partner=token.partner_id.display_name,
                        order=order.name,
                    )
                )

    def _get_paying_orders(self):
        """Return the orders whose payment methods count: for an upsell, its parent.

        :rtype: sale.order recordset
        """
        upsells = self.filtered(lambda o: o.subscription_state == "7_upsell")
        return (self - upsells) | upsells.subscription_id

    def _offer_payment_token(self, token):
        """Take a token the customer saved, if it is welcome here.

        That is: if there is none, or if the present one was archived, has failed or
        expires soon.

        :param token: payment.token
        """
        for order in self.sudo():
            current = order.payment_token_id
            is_good = current.active and not current._expires_soon()
            if is_good and not order.payment_exception:
                continue
            # What another partner paid for a customer is not charged to that partner.
            if token.active and token.filtered_domain(
                order._get_payment_token_domain()
            ):
                order.payment_token_id = token

    def _forget_failures_of(self, tokens):
        """Forget what failed with another payment method than the present one.

        :param dict tokens: the payment.token that each of these had
        """
        replaced = self.filtered(lambda o: o.payment_token_id != tokens[o])
        replaced._clear_payment_exception()

    # === FAILURES ===

    def _clear_payment_exception(self):
        """Forget failed charges; the next run charges what is open."""
        flagged = self.sudo().filtered("payment_exception")
        flagged.write(
            {
                "payment_exception": False,
                "payment_exception_reason": False,
                "payment_attempt_count": 0,
                "payment_retry_date": False,
            }
        )
        flagged.activity_unlink([PAYMENT_ACTIVITY])

    def _clear_settled_payment_exceptions(self):
        """Forget failed charges of subscriptions that owe nothing any more."""
        self.sudo().filtered(
            lambda o: o.payment_exception and not o._get_open_invoices()
        )._clear_payment_exception()

    def _record_charge_failure(self, invoice, reason):
        """Note that a charge failed, and when the next one is made.

        :param invoice: account.move
        :param str reason: what the provider said, or what is wrong here
        """
        self.ensure_one()
        failures = self.payment_attempt_count
        retry_date = False
        if failures < len(RETRY_DAYS):
            retry_date = fields.Date.add(fields.Date.today(), days=RETRY_DAYS[failures])
        self.sudo().write(
            {
                "payment_exception": True,
                "payment_exception_reason": reason,
                "payment_attempt_count": failures + 1,
                "payment_retry_date": retry_date,
            }
        )
        text = self.env._(
            "%(invoice)s could not be charged to %(token)s: %(reason)s",
            invoice=invoice.name,
            token=self.payment_token_id.display_name,
            reason=reason,
        )
        if retry_date:
            day = format_date(self.env, retry_date)
            following = self.env._("It will be retried on %s.", day)
        else:
            following = self.env._("It is not retried automatically.")
            self._schedule_payment_activity(text)
        self.message_post(body=Markup("%s<br/>%s") % (text, following))

    def _tell_payment_failed(self, invoice):
        """Tell the customer, who can mend it; of every invoice once.

        :param invoice: account.move
        """
        self.ensure_one()
        self.env["sale.subscription.notice"]._tell(
            self, "payment_failed", invoice.id, invoice=invoice
        )

    def _record_charge_doubt(self, text):
        """Ask a person to find out what became of a charge; note it once.

        :param str text: what is to be found out
        """
        self.ensure_one()
        if self.payment_exception_reason == text and not self.payment_retry_date:
            return
        self.sudo().write(
            {
                "payment_exception": True,
                "payment_exception_reason": text,
                "payment_retry_date": False,
            }
        )
        self.message_post(body=text)
        self._schedule_payment_activity(text)

    def _schedule_payment_activity(self, text):
        self.activity_unlink([PAYMENT_ACTIVITY])
        self.activity_schedule(
            PAYMENT_ACTIVITY,
            note=plaintext2html(text),
            user_id=(self.user_id or self.team_id.user_id).id,
        )

    # === BUTTONS ===

    def _check_billing_user(self):
        if not self.env.su and not self.env.user.has_group(BILLING_GROUP):
            raise AccessError(self.env._("Only billing users may charge customers."))
        self.check_access("write")

    def action_charge_now(self):
        """Charge what is open, whatever failed before.

        :return: notification of the outcome
        :rtype: dict
        :raises UserError: there is nothing that can be charged now, and why
        """
        self.ensure_one()
        self._check_billing_user()
        if not self.payment_token_id:
            raise UserError(self.env._("%s has no payment method.", self.name))
        transactions = self.sudo()._charge_open_invoices(by_hand=True)
        last = transactions.sorted("id")[-1:]
        if not last:
            raise UserError(
                self.env._("%s is being charged by someone else now.", self.name)
            )
        labels = dict(last._fields["state"]._description_selection(self.env))
        levels = {"done": "success", "error": "danger", "cancel": "danger"}
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": levels.get(last.state, "warning"),
                "title": f"{last.reference}: {labels[last.state]}",
                "message": last.state_message or "",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_clear_payment_exception(self):
        """Take charges without a known outcome for not made, and go on.

        Whoever presses it has looked at the provider.

        :return: True
        :raises UserError: the outcome of a charge may still come by itself
        """
        self._check_billing_user()
        for order in self.sudo():
            unknown = order._get_open_invoices().transaction_ids.filtered(
                lambda tx: tx._is_outcome_unknown()
            )
            if any(not tx._is_outcome_overdue() for tx in unknown):
                raise UserError(
                    self.env._(
                        "A charge of %s was started less than an hour ago. Wait "
                        "for its result.",
                        order.name,
                    )
                )
            unknown._set_error(
                self.env._("%s found that this was not paid.", self.env.user.name)
            )
            unknown.is_post_processed = True  # or it would count as a failure
            order._clear_payment_exception()
            order.message_post(
                body=self.env._("Payment problem cleared: charged in the next run.")
            )
        return True
