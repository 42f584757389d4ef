from functools import cache

from odoo import http
from odoo.modules.module import get_manifest

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


class MetaApi(http.Controller):
    @api_route("GET", "/health", scope=None)
    def health(self):
        return json_response({"status": "ok"})

    @api_route("GET", "/openapi.json", scope=None)
    def description(self):
        return json_response(document())

    @api_route("GET", "/docs", scope=None)
    def docs(self):
        """The one page for people. It loads nothing, from here or from elsewhere."""
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
