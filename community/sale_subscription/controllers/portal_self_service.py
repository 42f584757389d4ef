from odoo import fields, http

# What a customer does on the page of a subscription. `_act` asks who may.
CUSTOMER_ACTION = {
    "type": "http",
    "auth": "public",
    "methods": ["POST"],
    "website": True,
}


def _read_id(text):
    """Return the id that a form sent, 0 for what is none.

    :param str text: anything
    :rtype: int
    """
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _read_day(text):
    """Return the day that a form sent.

    :param str text: anything
    :rtype: datetime.date | None
    """
    try:
        return fields.Date.to_date((text or "").strip()[:10]) or None
    except ValueError:
        return None


class SubscriptionSelfService:
    """What customers change of a subscription that runs: plan, pause, options.

    A base of the controller of the portal, whose `_act` asks who may.
    """

    def _prepare_self_service_values(self, order):
        """Return what the page needs to offer these changes, as far as it may.

        :rtype: dict
        """
        can_resume = order._can_be_resumed_by_customer()
        return {
            "plan_offers": order._get_plan_offers(),
            "option_offers": order._get_option_offers(),
            "can_pause": order._can_be_paused_by_customer(),
            "resume_terms": order._get_resume_terms() if can_resume else None,
        }

    @http.route("/my/subscriptions/<int:order_id>/plan", **CUSTOMER_ACTION)
    def subscription_plan(
        self, order_id, access_token=None, plan_id=None, seen="", **kw
    ):
        def change(order, author):
            done = order._change_plan_by_customer(_read_id(plan_id), seen, author)
            return "plan" if done else "outdated"

        return self._act(order_id, access_token, change)

    @http.route("/my/subscriptions/<int:order_id>/pause", **CUSTOMER_ACTION)
    def subscription_pause(self, order_id, access_token=None, resume_date=None, **kw):
        def pause(order, author):
            if order.subscription_state == "4_paused":
                return "paused"  # pressed twice
            if order._may_be_closed_unpaid():
                return "pay_first"
            day = _read_day(resume_date)
            if not day or not order._is_resume_date_of_customer(day):
                return "invalid_date"
            order._pause_by_customer(day, author)
            return "paused"

        return self._act(order_id, access_token, pause)

    @http.route("/my/subscriptions/<int:order_id>/resume", **CUSTOMER_ACTION)
    def subscription_resume(self, order_id, access_token=None, seen="", **kw):
        def resume(order, author):
            if order.subscription_state == "3_progress":
                return "resumed"  # pressed twice, or it does by itself
            done = order._resume_by_customer(seen, author)
            return "resumed" if done else "outdated"

        return self._act(order_id, access_token, resume)

    @http.route("/my/subscriptions/<int:order_id>/option", **CUSTOMER_ACTION)
    def subscription_option(
        self, order_id, access_token=None, line_id=None, seen="", **kw
    ):
        def add(order, author):
            upsell = order._add_option_by_customer(_read_id(line_id), seen, author)
            if upsell is None:
                return "outdated"
            if upsell and upsell.state != "sale":
                return upsell.get_portal_url()
            return "option"

        return self._act(order_id, access_token, add)
