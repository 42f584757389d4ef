import logging
import re

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import pager as portal_pager
from odoo.addons.sale.controllers import portal as sale_portal

from ..models.base.states import RUNNING_STATES
from ..models.portal.order_portal import PORTAL_STATES
from .portal_self_service import CUSTOMER_ACTION, SubscriptionSelfService

_logger = logging.getLogger(__name__)

HISTORY = "my_subscriptions_history"
INVOICES_SHOWN = 12
MAX_FEEDBACK_LENGTH = 5000


class CustomerPortal(SubscriptionSelfService, sale_portal.CustomerPortal):
    """Subscriptions on the customer portal.

    Who may read an order may see the page: the customer's users, staff, and whoever has
    the order's access token. The same may act on it, as a token holder may sign a
    quotation in Odoo's sale; of the staff only those who may write orders.
    """

    # === QUOTATIONS ===

    def _get_payment_values(
        self, order_sudo, is_down_payment=False, payment_amount=None, **kwargs
    ):
        """Let the customer pay what is due now; a link may name another amount.

        And say that saved payment details pay the next periods, too.
        """
        values = super()._get_payment_values(
            order_sudo, is_down_payment, payment_amount, **kwargs
        )
        due_now = (
            order_sudo.state in ("draft", "sent") and order_sudo._has_payment_schedule()
        )
        if due_now and not is_down_payment and not payment_amount:
            values["amount"] = order_sudo._get_amount_due_now()
        return {**values, "is_subscription": order_sudo.is_subscription}

    # === HOME AND LIST ===

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "subscription_count" in counters:
            order_model = request.env["sale.order"]
            values["subscription_count"] = (
                order_model.search_count(self._prepare_subscriptions_domain())
                if order_model.has_access("read")
                else 0
            )
        return values

    def _prepare_subscriptions_domain(self):
        """Return the domain of the subscriptions of the user's company.

        :rtype: list
        """
        partner = request.env.user.partner_id.commercial_partner_id
        return [
            ("partner_id", "child_of", partner.ids),
            ("is_subscription", "=", True),
            ("state", "=", "sale"),
            ("subscription_state", "in", PORTAL_STATES),
        ]

    def _get_subscription_searchbar_sortings(self):
        return {
            # What runs comes first: the states are numbered in that order.
            "next_invoice": {
                "label": request.env._("Next Invoice"),
                "order": "subscription_state, next_invoice_date, id",
            },
            "name": {"label": request.env._("Reference"), "order": "name, id"},
            "date": {
                "label": request.env._("Start Date"),
                "order": "start_date desc, id desc",
            },
        }

    def _get_subscription_searchbar_filters(self):
        return {
            "all": {"label": request.env._("All"), "domain": []},
            "in_progress": {
                "label": request.env._("In Progress"),
                "domain": [("subscription_state", "in", RUNNING_STATES)],
            },
            "closed": {
                "label": request.env._("Closed"),
                "domain": [("subscription_state", "not in", RUNNING_STATES)],
            },
        }

    @http.route(
        ["/my/subscriptions", "/my/subscriptions/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
    )
    def portal_my_subscriptions(self, page=1, sortby=None, filterby=None, **kw):
        sortings = self._get_subscription_searchbar_sortings()
        filters = self._get_subscription_searchbar_filters()
        sortby = sortby if sortby in sortings else "next_invoice"
        filterby = filterby if filterby in filters else "all"
        order_model = request.env["sale.order"]
        orders = order_model
        domain = self._prepare_subscriptions_domain() + filters[filterby]["domain"]
        may_read = order_model.has_access("read")
        pager = portal_pager(
            url="/my/subscriptions",
            total=order_model.search_count(domain) if may_read else 0,
            page=page,
            step=self._items_per_page,
            url_args={"sortby": sortby, "filterby": filterby},
        )
        if may_read:
            orders = order_model.search(
                domain,
                order=sortings[sortby]["order"],
                limit=self._items_per_page,
                offset=pager["offset"],
            )
        request.session[HISTORY] = orders.ids[:100]
        values = {
            **self._prepare_portal_layout_values(),
            "subscriptions": orders.sudo(),
            "page_name": "subscription",
            "default_url": "/my/subscriptions",
            "pager": pager,
            "searchbar_sortings": sortings,
            "sortby": sortby,
            "searchbar_filters": filters,
            "filterby": filterby,
        }
        return request.render("sale_subscription.portal_my_subscriptions", values)

    # === PAGE ===

    @http.route(
        "/my/subscriptions/<int:order_id>", type="http", auth="public", website=True
    )
    def subscription(
        self,
        order_id,
        access_token=None,
        message="",
        report_type=None,
        download=False,
        **kw,
    ):
        """Show a subscription; a quotation or an upsell on its own page of Odoo's sale.

        :param int order_id: id of a sale.order
        :param str access_token: that of the order
        :param str message: what has been done, a word the template knows
        :param str report_type: "html", "pdf" or "text", for the order as a document
        """
        order, redirection = self._get_subscription(access_token, order_id)
        if redirection:
            return redirection
        if report_type in ("html", "pdf", "text"):
            return self._show_report(
                model=order,
                report_type=report_type,
                report_ref="sale.action_report_saleorder",
                download=download,
            )
        values = self._prepare_subscription_values(order, access_token, **kw)
        values["message"] = message
        return request.render("sale_subscription.portal_subscription_page", values)

    def _get_subscription(self, access_token, order_id):
        """Return the subscription that is asked for, or where to go instead.

        :return: (sale.order with superuser rights, empty for whoever may not see it;
            redirection or None)
        :rtype: tuple
        """
        try:
            order = self._document_check_access("sale.order", order_id, access_token)
        except (AccessError, MissingError):
            return request.env["sale.order"], request.redirect("/my")
        if not order._is_portal_subscription():
            url = order.get_portal_url() if access_token else order.access_url
            return order, request.redirect(url)
        return order, None

    def _prepare_subscription_values(self, order, access_token, **kw):
        action = request.env.ref("sale_subscription.sale_subscription_action").sudo()
        invoices = order._get_portal_invoices()
        shown = invoices if kw.get("invoices") == "all" else invoices[:INVOICES_SHOWN]
        in_advance, measured, once = order._get_portal_lines()
        reasons = request.env["sale.order.close.reason"].sudo()
        can_close = order._can_be_closed_by_customer()
        values = {
            "subscription": order,
            "sale_order": order,  # as modules of others know it
            "page_name": "subscription",
            "report_type": "html",
            "backend_url": f"/odoo/action-{action.id}/{order.id}",
            "res_company": order.company_id,
            "signed_in": not request.env.user._is_public(),
            "amounts": order._get_portal_amounts(),
            "period_text": order._get_portal_period_text(),
            "dates": order._get_portal_dates(),
            "recurring_lines": in_advance,
            "measured_lines": measured,
            "one_off_lines": once,
            "invoices": shown,
            "invoices_left_out": len(invoices) - len(shown),
            "to_pay": invoices.filtered(lambda m: m._has_to_be_paid()).sorted("id"),
            "can_close": can_close,
            "close_reasons": reasons._get_offered_reasons() if can_close else reasons,
            "can_renew": order._can_be_renewed_by_customer(),
            "quantity_lines": order._get_customer_quantity_lines(),
            **self._prepare_self_service_values(order),
        }
        values = self._get_page_view_values(
            order, access_token, values, HISTORY, False, **kw
        )
        return values | self._get_neighbours(order)

    def _get_neighbours(self, order):
        """Return the addresses of the subscriptions before and after it in the list.

        :rtype: dict
        """
        ids = request.session.get(HISTORY, [])
        if order.id not in ids:
            return {"prev_record": False, "next_record": False}
        index = ids.index(order.id)
        around = {"prev_record": ids[:index][-1:], "next_record": ids[index + 1 :][:1]}
        return {
            key: found and f"/my/subscriptions/{found[0]}"
            for key, found in around.items()
        }

    # === ACTIONS ===

    def _act(self, order_id, access_token, method):
        """Let a customer act on a subscription; nothing stays of what fails.

        :param method: function of the order, with superuser rights, and of the customer
            (res.partner, empty for a token holder who is not signed in). Returns where
            to go next, or the word for the message on the page of the subscription.
        :return: redirection
        """
        user = request.env.user
        try:
            order = self._document_check_access("sale.order", order_id, access_token)
            if user._is_internal():
                order.with_user(user).check_access("write")
        except (AccessError, MissingError):
            return request.redirect("/my")
        author = request.env["res.partner"] if user._is_public() else user.partner_id
        try:
            with request.env.cr.savepoint():
                outcome = method(order, author.sudo())
        except UserError as error:
            # What it says is for the staff.
            _logger.info("Refused on the portal, order %s: %s", order.id, error)
            outcome = "refused"
        if outcome.startswith("/"):
            return request.redirect(outcome)
        if access_token:
            return request.redirect(order._get_subscription_portal_url(message=outcome))
        return request.redirect(f"/my/subscriptions/{order.id}?message={outcome}")

    @http.route()
    def portal_quote_accept(
        self, order_id, access_token=None, name=None, signature=None
    ):
        """Sign, where a subscription is signed: what is wrong is told to the staff."""
        try:
            with request.env.cr.savepoint():
                return super().portal_quote_accept(
                    order_id, access_token=access_token, name=name, signature=signature
                )
        except UserError as error:
            if not request.env["sale.order"].sudo().browse(order_id).plan_id:
                raise
            _logger.info("Refused on the portal, order %s: %s", order_id, error)
            return {
                "error": request.env._(
                    "The order could not be confirmed. Please contact us."
                )
            }

    @http.route("/my/subscriptions/<int:order_id>/close", **CUSTOMER_ACTION)
    def subscription_close(
        self, order_id, access_token=None, close_reason_id=None, feedback="", **kw
    ):
        def close(order, author):
            if order.subscription_state == "6_churn":
                return "closed"  # pressed twice
            reasons = request.env["sale.order.close.reason"]._get_offered_reasons()
            reason = reasons.filtered(lambda r: str(r.id) == close_reason_id)
            text = feedback.strip()[:MAX_FEEDBACK_LENGTH]
            order._close_by_customer(reason, author, text)
            return "closed"

        return self._act(order_id, access_token, close)

    @http.route("/my/subscriptions/<int:order_id>/renew", **CUSTOMER_ACTION)
    def subscription_renew(self, order_id, access_token=None, **kw):
        def renew(order, author):
            if order.subscription_state == "5_renewed":
                return "renewed"  # pressed twice
            renewal = order._renew_by_customer(author)
            if renewal.state == "sale":
                return renewal._get_subscription_portal_url(message="renewal")
            return renewal.get_portal_url()

        return self._act(order_id, access_token, renew)

    @http.route("/my/subscriptions/<int:order_id>/quantities", **CUSTOMER_ACTION)
    def subscription_quantities(self, order_id, access_token=None, **form):
        def change(order, author):
            requested = self._parse_quantities(order, form)
            if requested is None:
                return "invalid_quantity"
            upsell = order._change_quantities_by_customer(requested, author)
            if upsell and upsell.state != "sale":
                return upsell.get_portal_url()
            return "quantities"

        return self._act(order_id, access_token, change)

    def _parse_quantities(self, order, form):
        """Read the fields `quantity_<line>` and `seen_<line>` of a form.

        :return: (new, seen) by sale.order.line; None when a value is not a whole number
            of 1 or more
        :rtype: dict | None
        """
        requested = {}
        for name, text in form.items():
            field = re.fullmatch(r"quantity_([0-9]{1,9})", name)
            if not field:
                continue
            seen = form.get(f"seen_{field[1]}", "")
            whole = r"[1-9][0-9]{0,5}"
            if not re.fullmatch(whole, text.strip()) or not re.fullmatch(whole, seen):
                return None
            line = order.order_line.browse(int(field[1]))
            requested[line] = (int(text), int(seen))
        return requested
