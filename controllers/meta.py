from functools import cache
from typing import Annotated

from werkzeug.exceptions import NotFound

from odoo import api, http, models, tools
from odoo.modules.module import get_manifest
from odoo.tools import str2bool

from ..engine.api import answers
from ..engine.shape import Format
from ..models.base.res_config_settings import CLOSED_PARAMETER
from . import openapi
from .envelope import PREFIX, json_response
from .openapi.operation import Operation
from .route import ROUTES, api_route

TAG = "About the API"

DESCRIPTION = Annotated[
    dict,
    Format(
        {
            "type": "object",
            "properties": {
                "openapi": {"type": "string", "pattern": r"^3\.1\.[0-9]+$"},
                "info": {"type": "object", "additionalProperties": True},
                "paths": {"type": "object", "additionalProperties": True},
            },
            "required": ["openapi", "info", "paths"],
            "additionalProperties": True,
            "description": "An OpenAPI 3.1 document.",
        },
        "Description",
    ),
]
PAGE = Annotated[
    str, Format({"type": "string", "contentMediaType": "text/html"}, "Page")
]

GET_HEALTH = Operation(
    name="getHealth",
    tag=TAG,
    summary="Whether the server and its database answer",
    answer=answers.Health,
    example={"status": "ok"},
)

GET_DESCRIPTION = Operation(
    name="getDescription",
    tag=TAG,
    summary="This description, for programs",
    answer=DESCRIPTION,
    example={
        "openapi": "3.1.0",
        "info": {"title": "Fusion Centralized Billing", "version": "1.0.0"},
        "paths": {},
    },
)

GET_DOCS = Operation(
    name="getDocs",
    tag=TAG,
    summary="This description, for people",
    answer=PAGE,
    media="text/html",
)


ADDON = "fusion_centralized_billing"


@cache
def document():
    """The OpenAPI document of the routes; the same for as long as the server runs."""
    return openapi.document(ROUTES, get_manifest(ADDON)["version"], PREFIX)


def _check_open():
    """Raise NotFound where the setting says that strangers read no description."""
    parameter = http.request.env["ir.config_parameter"].sudo()
    if str2bool(parameter.get_param(CLOSED_PARAMETER), False):
        raise NotFound()


class FusionBillingApiPage(models.AbstractModel):
    """The document as a page; of each database, whose views may be changed."""

    _name = "fusion.billing.api.page"
    _description = "API: Documentation Page"

    @api.model
    @tools.ormcache(cache="templates")
    def _page(self):
        """Return the page (str), and the Content-Security-Policy it is sent with (str).

        Kept until a view changes: it takes a quarter of a second, and needs no key.
        """
        values = openapi.page_values(document())
        qweb = self.env["ir.qweb"].sudo().with_context(lang=None)
        page = str(qweb._render(openapi.TEMPLATE, values))
        return f"<!DOCTYPE html>\n{page}\n", openapi.security_policy(values["style"])


class MetaApi(http.Controller):
    @api_route("GET", "/health", None, GET_HEALTH)
    def health(self):
        return json_response(answers.Health().as_json())

    @api_route("GET", "/openapi.json", None, GET_DESCRIPTION)
    def description(self):
        _check_open()
        return json_response(document())

    @api_route("GET", "/docs", None, GET_DOCS)
    def docs(self):
        """The one page for people. It loads nothing, from here or from elsewhere."""
        _check_open()
        content, policy = http.request.env["fusion.billing.api.page"]._page()
        return http.request.make_response(
            content,
            headers=[
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Security-Policy", policy),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
