from functools import cache

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.modules.module import get_manifest
from odoo.tools import str2bool

from ..models.base.res_config_settings import CLOSED_PARAMETER
from . import openapi
from .envelope import PREFIX, json_response
from .route import ROUTES, api_route

ADDON = "fusion_centralized_billing"


@cache
def document():
    """The OpenAPI document of the routes; the same for as long as the server runs."""
    return openapi.document(ROUTES, get_manifest(ADDON)["version"], PREFIX)


@cache
def _page():
    return openapi.page(document())


def _check_open():
    """Raise NotFound where the setting says that strangers read no description."""
    parameter = http.request.env["ir.config_parameter"].sudo()
    if str2bool(parameter.get_param(CLOSED_PARAMETER), False):
        raise NotFound()


class MetaApi(http.Controller):
    @api_route("GET", "/health", scope=None)
    def health(self):
        return json_response({"status": "ok"})

    @api_route("GET", "/openapi.json", scope=None)
    def description(self):
        _check_open()
        return json_response(document())

    @api_route("GET", "/docs", scope=None)
    def docs(self):
        """The one page for people. It loads nothing, from here or from elsewhere."""
        _check_open()
        content, policy = _page()
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
