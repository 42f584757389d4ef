from odoo import http

from .envelope import json_response
from .route import api_route


class MetaApi(http.Controller):
    @api_route("GET", "/health", scope=None)
    def health(self):
        return json_response({"status": "ok"})
