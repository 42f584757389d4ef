"""What customers see of their usage, and take with them."""

import csv
import io

from odoo import api, http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request

from odoo.addons.sale.controllers import portal


class UsagePortal(portal.CustomerPortal):
    """Asks for what the page of the order asks for: the customer, or its token."""

    @http.route(
        "/my/subscriptions/<int:order_id>/usage",
        type="http",
        auth="public",
        website=True,
    )
    def fc_usage_page(self, order_id, access_token=None, **kw):
        """Show the usage of a subscription."""
        order = self._fc_order(order_id, access_token)
        if not order:
            return request.redirect("/my")
        values = {"subscription": order, "access_token": access_token}
        values |= {"page_name": "usage", "no_breadcrumbs": True}
        return request.render("fusion_centralized_billing.portal_usage_page", values)

    @http.route(
        "/my/subscriptions/<int:order_id>/usage/<int:window_id>/<int:metric_id>",
        type="http",
        auth="public",
        website=True,
    )
    def fc_usage_events(
        self, order_id, window_id, metric_id, access_token=None, after="", **kw
    ):
        """Send the events of a metric in a window of the subscription, as CSV."""
        order = self._fc_order(order_id, access_token)
        window = order.fc_window_ids.filtered(lambda w: w.id == window_id)
        metrics = request.env["fusion.billing.usage.page"]._metrics_of(window)
        metric = metrics.filtered(lambda m: m.id == metric_id)
        if not window or not metric:
            return request.redirect("/my")
        after = int(after) if after.isascii() and after.isdigit() else 0
        after = min(after, 2**31 - 1)
        name = f"{order.name}_{metric.code}_{window.first_day}.csv"
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
        headers = [
            ("Content-Type", "text/csv; charset=utf-8"),
            ("Content-Disposition", f'attachment; filename="{name}"'),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        return request.make_response(
            _as_csv(request.env.registry, window.id, metric.id, after), headers
        )

    def _fc_order(self, order_id, access_token):
        """The subscription as superuser; empty for whoever may not see its page."""
        none = request.env["sale.order"].sudo()
        try:
            order = self._document_check_access("sale.order", order_id, access_token)
        except (AccessError, MissingError):
            return none
        return order if order._fc_has_usage_page() else none


def _as_csv(registry, window_id, metric_id, after):
    """The lines of the file, read while they are sent (generator of bytes).

    With a cursor of its own, as that of the request is closed by then.
    """
    with registry.cursor() as cr:
        env = api.Environment(cr, api.SUPERUSER_ID, {})
        page = env["fusion.billing.usage.page"]
        window = env["fusion.billing.window"].browse(window_id)
        metric = env["fusion.billing.metric"].browse(metric_id)
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(page._event_columns())
        for row in page._events_of(window, metric, after):
            if len(row) == 1:
                row = ["more", f"?after={row[0]}"]
            writer.writerow(row)
            if buffer.tell() > 65536:
                yield _taken(buffer)
        yield _taken(buffer)


def _taken(buffer):
    content = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return content
