import logging
from datetime import timedelta
from urllib.parse import urlencode

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, plaintext2html

from ..base.states import QUOTATION, RENEWAL, RUNNING_STATES

_logger = logging.getLogger(__name__)

# What customers see as their subscriptions. Before, an order is a quotation.
PORTAL_STATES = (*RUNNING_STATES, "5_renewed", "6_churn")
RENEWABLE_STATES = (*RUNNING_STATES, "6_churn")
# Texts of errors, which name what is none of a customer's business.
STAFF_FIELDS = frozenset(("subscription_error", "payment_exception_reason"))


class SaleSubscriptionOrderPortal(models.AbstractModel):
    """What customers see of their subscription, and how they close and renew it.

    The methods that change something are called with superuser rights, by a controller
    that has checked who asks. What the plan allows is checked here.
    """

    _name = "sale.subscription.order.portal"
    _description = "Subscriptions on the Portal"

    requested_by_customer = fields.Boolean(
        "Requested by Customer",
        copy=False,
        readonly=True,
        help="The customer requested this upsell or renewal on the portal.",
    )

    # === WHAT THEY SEE ===

    @api.model
    def _has_field_access(self, field, operation):
        # Not by groups of the fields: the views of the staff would have to repeat them.
        if field.name in STAFF_FIELDS and not self.env.su:
            if not self.env.user._is_internal():
                return False
        return super()._has_field_access(field, operation)

    def _is_portal_subscription(self):
        """Tell whether customers find this order among their subscriptions.

        :rtype: bool
        """
        self.ensure_one()
        return self.is_subscription and self.subscription_state in PORTAL_STATES

    def _get_subscription_portal_url(self, suffix="", **params):
        """Return the address of the subscription's page, with its access token.

        :param str suffix: of the path, "/close" for example
        :param params: of the query
        :rtype: str
        """
        self.ensure_one()
        query = {"access_token": self._portal_ensure_token(), **params}
        return f"/my/subscriptions/{self.id}{suffix}?{urlencode(query)}"

    def _get_portal_lines(self):
        """Return the lines as customers see them.

        :return: (the same in every period, what is measured first, invoiced once)
        :rtype: tuple[sale.order.line, sale.order.line, sale.order.line]
        """
        self.ensure_one()
        lines = self.order_line.filtered(lambda line: not line.display_type)
        recurring = lines.filtered("recurring_invoice")
        in_advance = recurring.filtered(lambda line: line._is_invoiced_in_advance())
        # What a cancelled upsell left at zero is not part of the subscription.
        return (
            in_advance.filtered("product_uom_qty"),
            recurring - in_advance,
            lines - recurring,
        )

    def _get_portal_summary(self):
        """Return what the subscription is of, to tell it from others.

        :rtype: str
        """
        in_advance, measured, _once = self._get_portal_lines()
        names = [line.product_id.name or line.name for line in in_advance | measured]
        return ", ".join(names[:3]) + ("…" if len(names) > 3 else "")

    def _get_portal_amounts(self):
        """Return what a whole period costs from the next one on, as its invoice does.

        :return: untaxed, tax and total in the currency of the order
        :rtype: dict[str, float]
        """
        self.ensure_one()
        base_lines = self.env["sale.subscription.schedule"]._get_period_lines(self, 0)
        return self.env["sale.subscription.discount"]._get_totals(self, base_lines)

    def _get_portal_headline(self):
        """Return the one amount that stands for the subscription, and what it is.

        :return: `amount` in the currency of the order, and `text`
        :rtype: dict
        """
        self.ensure_one()
        text = self._get_portal_period_text()
        if self._get_portal_lines()[1]:
            text = self.env._("%s, plus your usage", text)
        return {"amount": self._get_portal_amounts()["total"], "text": text}

    def _get_measured_base_lines(self):
        """Return what the next invoice bills, as it stands now, of what is measured.

        :return: base lines of account.tax
        :rtype: list[dict]
        """
        return []

    def _get_portal_sections(self):
        """Return the names of templates that come before the lines of the page.

        :rtype: list[str]
        """
        return []

    def _get_portal_period_text(self):
        """Return for which time the amount of a period is.

        :rtype: str
        """
        self.ensure_one()
        plan = self.plan_id
        if plan.billing_period_value != 1:
            return self.env._("every %s", plan.billing_period_display)
        if plan.billing_period_unit == "week":
            return self.env._("per week")
        if plan.billing_period_unit == "year":
            return self.env._("per year")
        return self.env._("per month")

    def _get_portal_dates(self):
        """Return the dates that customers are told.

        :return: `current` (first and last day invoiced), `next_invoice`, `share` (days
            charged and days of a whole period, where they differ), `paused_on`; each
            may be empty
        :rtype: dict
        """
        self.ensure_one()
        running = self.subscription_state == "3_progress"
        following = self.next_invoice_date
        dates = dict.fromkeys(("current", "next_invoice", "share", "paused_on"))
        if self.subscription_state in RUNNING_STATES and self.last_invoice_date:
            last_day = following - timedelta(days=1)
            dates["current"] = (self.last_invoice_date, last_day)
        ends = self.end_date and self.end_date <= following
        if running and following and not (ends or self._is_to_be_paused_by(following)):
            dates["next_invoice"] = following
            days, whole = self._get_period_share()
            dates["share"] = (days, whole) if days != whole else None
        if self.subscription_state == "4_paused":
            rows = self.sale_order_log_ids.filtered(lambda r: r.event_type == "pause")
            dates["paused_on"] = rows.sorted("id")[-1:].event_date
        return dates

    def _get_portal_invoices(self):
        """Return the posted invoices of the subscription, newest first.

        :rtype: account.move recordset
        """
        self.ensure_one()
        posted = Domain("state", "=", "posted")
        return self._get_subscription_invoices(posted)[::-1]

    # === WHAT THEY DO ===

    def _exclude_other_requests(self):
        """Let one request at a time act on this subscription.

        Two that press a button at once both see what was before. The row is changed, so
        the one that comes second fails on it when the first is done; Odoo repeats it
        then, and it sees what the first did. A lock alone would not tell.
        """
        self.flush_recordset()
        self.env.cr.execute(
            SQL("UPDATE sale_order SET write_uid = write_uid WHERE id = %s", self.id),
            log_exceptions=False,
        )

    def _post_for_customer(self, author, texts, feedback=None):
        """Say in the chatter what a customer did.

        :param author: res.partner, the customer; empty: whoever has the link
        :param list texts: lines of a note for whoever is responsible here
        :param str feedback: what the customer wrote, sent to the followers
        """
        order = self._in_staff_language()
        if author:
            who = order.env._("Done on the portal by %s", author.name)
        else:
            who = order.env._("Done on the portal by the link, without signing in")
        common = {"author_id": (author or self.partner_id).id}
        self.message_post(
            body=Markup("<br/>").join([*texts, who]),
            message_type="notification",
            subtype_xmlid="mail.mt_note",
            **common,
        )
        if feedback:
            self.message_post(
                body=plaintext2html(feedback),
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                **common,
            )

    def _in_staff_language(self):
        """Return this order with the language of those who read its notes.

        :rtype: sale.order
        """
        partner = self.user_id.partner_id or self.company_id.partner_id
        return self.with_context(lang=partner.lang)

    def _can_be_closed_by_customer(self):
        """Tell whether the customer may close the subscription now.

        :rtype: bool
        """
        self.ensure_one()
        return bool(
            self.plan_id.user_closable
            and self.state == "sale"
            and self.is_subscription
            and self.subscription_state in RUNNING_STATES
        )

    def _close_by_customer(self, reason, author, feedback=None):
        """Close the subscription as its customer wishes.

        :param reason: sale.order.close.reason, one of those offered
        :param author: res.partner, the customer; empty: whoever has the link
        :param str feedback: what the customer writes about it
        :raises UserError: it cannot be closed by the customer, or not for this reason
        """
        self.ensure_one()
        self._exclude_other_requests()
        offered = self.env["sale.order.close.reason"]._get_offered_reasons()
        if not self._can_be_closed_by_customer() or (offered and reason not in offered):
            raise UserError(self.env._("This subscription cannot be closed online."))
        self.set_close(reason.id)
        note = self._in_staff_language().env._("The customer closed the subscription.")
        self._post_for_customer(author, [note], feedback)

    def _can_be_renewed_by_customer(self):
        """Tell whether the customer may renew the subscription now.

        Not on a plan that is not sold any more. What was closed for being unpaid runs
        again when it is paid.

        :rtype: bool
        """
        self.ensure_one()
        plan, renewal = self.plan_id, self.renewal_id
        return bool(
            plan.user_extend
            and plan.active
            and self.state == "sale"
            and self.subscription_state in RENEWABLE_STATES
            and not self._is_closed_for_being_unpaid()
            and (not renewal or renewal.state in QUOTATION)
        )

    def _is_closed_for_being_unpaid(self):
        """Tell whether paying reopens the subscription.

        :rtype: bool
        """
        self.ensure_one()
        reason = self.env["sale.order.close.reason"]._get_unpaid_reason()
        return self.subscription_state == "6_churn" and self.close_reason_id == reason

    def _renew_by_customer(self, author):
        """Renew the subscription as its customer wishes.

        :param author: res.partner, the customer
        :return: the renewal: confirmed, or a quotation the customer is to accept
        :rtype: sale.order
        :raises UserError: it cannot be renewed by the customer, or not now
        """
        self.ensure_one()
        self._exclude_other_requests()
        if not self._can_be_renewed_by_customer():
            raise UserError(self.env._("This subscription cannot be renewed online."))
        renewal = self.renewal_id
        if renewal.is_expired:
            renewal._withdraw_request()
            renewal = self.browse()
        if not renewal:
            renewal = self._create_upsell_renew_order(RENEWAL)
            renewal.requested_by_customer = True
            note = self._in_staff_language().env._(
                "The customer requested the renewal %s.", renewal.name
            )
            self._post_for_customer(author, [note])
        renewal._offer_to_customer()
        return renewal

    def _offer_to_customer(self):
        """Confirm what the customer asked for, or send what is to be accepted first.

        What a salesperson has prepared is never confirmed unseen.
        """
        self.ensure_one()
        if self.state == "draft":
            self.action_quotation_sent()
        to_accept = self._has_to_be_signed() or self._has_to_be_paid()
        if self.requested_by_customer and not to_accept:
            self.action_confirm()
            self._send_confirmation_to_customer()

    def _send_confirmation_to_customer(self):
        """Send the confirmation; what the customer wanted is done without it, too."""
        try:
            with self.env.cr.savepoint():
                self._send_order_confirmation_mail()
        except UserError as error:
            _logger.warning("Confirmation of order %s not sent: %s", self.id, error)

    def _withdraw_request(self):
        """Cancel quotations that another request of the customer takes the place of.

        :raises UserError: one of them is being paid
        """
        for order in self:
            if order.transaction_ids.filtered(
                lambda tx: tx.state in ("pending", "authorized", "done")
            ):
                raise UserError(self.env._("%s is being paid.", order.name))
            order._action_cancel()
