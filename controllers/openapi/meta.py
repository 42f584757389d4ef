from ...engine.api import answers
from .operation import Operation

TAG = "About the API"

SCHEMAS = {
    "Pdf": {"type": "string", "contentMediaType": "application/pdf"},
    "Page": {"type": "string", "contentMediaType": "text/html"},
    "Description": {
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
}

OPERATIONS = {
    ("GET", "/health"): Operation(
        name="getHealth",
        tag=TAG,
        summary="Whether the server and its database answer",
        answer=answers.Health,
        example={"status": "ok"},
    ),
    ("GET", "/openapi.json"): Operation(
        name="getDescription",
        tag=TAG,
        summary="This description, for programs",
        answer="Description",
        example={
            "openapi": "3.1.0",
            "info": {"title": "Fusion Centralized Billing", "version": "1.0.0"},
            "paths": {},
        },
    ),
    ("GET", "/docs"): Operation(
        name="getDocs",
        tag=TAG,
        summary="This description, for people",
        answer="Page",
        media="text/html",
    ),
}
