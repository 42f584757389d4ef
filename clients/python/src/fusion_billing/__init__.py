"""Client of the Fusion Centralized Billing API.

    from fusion_billing import Client, UsageBuffer, UsageEvent

See the README for a quick start.
"""

from .buffer import Stats, UsageBuffer
from .client import Client
from .errors import (
    BufferClosedError,
    BufferFullError,
    CredentialsError,
    FlushTimeoutError,
    FusionBillingError,
    NotFoundError,
    Refusal,
    RequestError,
    RetryLaterError,
    SetupError,
    UndeliveredError,
    UsageRefusedError,
    VoidRefusedError,
)
from .events import UsageEvent, UsageKey, by_id
from .results import Page, UsageResult, VoidResult
from .retry import RetryPolicy
from .subscriptions import OrderLine

__version__ = "1.0.0"
__all__ = [
    "BufferClosedError",
    "BufferFullError",
    "Client",
    "CredentialsError",
    "FlushTimeoutError",
    "FusionBillingError",
    "NotFoundError",
    "OrderLine",
    "Page",
    "Refusal",
    "RequestError",
    "RetryLaterError",
    "RetryPolicy",
    "SetupError",
    "Stats",
    "UndeliveredError",
    "UsageBuffer",
    "UsageEvent",
    "UsageKey",
    "UsageRefusedError",
    "UsageResult",
    "VoidRefusedError",
    "VoidResult",
    "by_id",
]
