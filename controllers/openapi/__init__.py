"""The API's description of itself: an OpenAPI document, and what its page needs."""

from .document import document
from .page import TEMPLATE, page_values, security_policy
