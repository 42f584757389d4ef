"""The API's description of itself: an OpenAPI document, and a page made of it."""

from .document import document
from .page import page
