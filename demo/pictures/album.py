"""Which pictures there are: where each is seen, and what must stand on it.

A path may name what `prepare.py` gives back, as `{accrual}`. Words are data of the
demo, computed apart from the addon, rather than labels: those may change.
"""

from __future__ import annotations

from dataclasses import dataclass

ACTION = "/odoo/action-fusion_centralized_billing."
LIST = ".o_list_table"
FORM = ".o_form_sheet"


@dataclass(frozen=True)
class Picture:
    """One picture, `docs/images/NAME.png`.

    :param path: of the page; of a customer's where it begins with `{portal`
    :param words: texts that are to be on it
    :param until: CSS selector of the last thing shown; the picture ends below it
    :param click: CSS selector of something to press first, a tab for example
    :param height: pixels, at most
    """

    name: str
    path: str
    words: tuple[str, ...]
    until: str = LIST
    click: str = ""
    width: int = 1280
    height: int = 900


INVOICE = ("INV/", "129.20", "25.92", "234.74")
ALBUM = (
    Picture(
        "overview",
        ACTION + "overview_action",
        ("NexaCloud", "NexaDesk", "NexaMaps"),
        until=".o_form_sheet, .o_form_renderer",
    ),
    # whose events come first varies, so their number
    Picture("usage", ACTION + "usage_action", ("4953",), height=640),
    Picture("refused_usage", ACTION + "usage_refused_action", ("nexa",), height=640),
    Picture(
        "reconciliation",
        ACTION + "reconciliation_action",
        ("16,029", "25,013"),
        height=640,
    ),
    Picture("ratings", ACTION + "rating_action", ("129.2", "187.5"), height=640),
    Picture(
        "rating", ACTION + "rating_action/{rating}", ("2,820.0393", "129.20"), FORM
    ),
    Picture("control_totals", ACTION + "control_action", ("739.20",)),
    Picture(
        "control_total",
        ACTION + "control_action/{control}",
        ("739.20", "223.71", "225"),
        FORM,
    ),
    Picture("held_invoices", ACTION + "hold_action", ("(NexaCloud)",)),
    Picture("accrual", ACTION + "accrual_action/{accrual}", ("739.20",), FORM),
    Picture(
        "findings",
        ACTION + "audit_finding_action",
        ("Sample Customer B (NexaMaps)",),
        click=".o_group_header .o_group_name",
    ),
    Picture(
        "invoice",
        "/odoo/action-account.action_move_out_invoice_type/{invoice}",
        INVOICE,
        FORM,
    ),
    Picture(
        "invoice_breakdown",
        "{portal_invoice}&report_type=html",
        (*INVOICE, "2,720.04"),
        until="[name=usage_breakdown]",
        width=900,
        height=1600,
    ),
    Picture(
        "subscription_portal",
        "{portal_subscription}",
        ("555.00", "671.60"),
        until="#subscription_usage",
        height=2000,
    ),
    Picture(
        "subscription_portal_phone",
        "{portal_subscription}",
        ("555.00", "671.60"),
        until="#subscription_usage",
        width=390,
        height=2000,
    ),
    Picture(
        "customer",
        "/odoo/action-base.action_partner_form/{customer}",
        ("Sample Customer A (NexaCloud)", "155.12"),
        FORM,
        click=".o_notebook a[name=fusion_billing]",
    ),
    Picture("service", ACTION + "service_action/{service}", ("NexaCloud",), FORM),
    Picture(
        "price_draft",
        ACTION + "price_draft_result_action",
        ("129.20", "124.65"),
    ),
    Picture(
        "webhook_health",
        ACTION + "webhook_attempt_action",
        ("Measures",),
        until=".o_graph_renderer",
        height=640,
    ),
)
