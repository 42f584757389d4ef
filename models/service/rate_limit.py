from dataclasses import dataclass

from odoo import fields, models

DEFAULT_RATE = 6000  # requests a minute
BURST_SHARE = 10  # the tenth part of a minute's requests may come at once
MIN_BURST = 20

# Fill the bucket by what has come in since the last request, up to its size, then take
# a token if there is a whole one. ``greatest``: a request that had to wait for the row
# may have read the clock before the one that went first.
_TAKE = """
    INSERT INTO fusion_billing_rate_bucket AS b
           (service_id, tokens, refilled_at, granted)
    VALUES (%(service)s, %(burst)s - 1, clock_timestamp(), true)
        ON CONFLICT (service_id) DO UPDATE
       SET refilled_at = greatest(b.refilled_at, excluded.refilled_at),
           (tokens, granted) = (
               SELECT CASE WHEN had >= 1 THEN had - 1 ELSE had END, had >= 1
                 FROM (SELECT least(%(burst)s, b.tokens + %(rate)s * greatest(
                           0, extract(epoch FROM excluded.refilled_at - b.refilled_at)
                       )) AS had) AS bucket)
    RETURNING granted, tokens
"""


@dataclass(frozen=True)
class Allowance:
    """What a token bucket says to a request.

    :param wait: seconds before the next try (float); 0.0: go on
    :param size: how many requests can come at once (int)
    :param left: how many more can come now (int)
    :param full_in: seconds until as many as ``size`` can (float)
    """

    wait: float
    size: int
    left: int
    full_in: float


class FusionBillingServiceRateLimit(models.AbstractModel):
    """How often a service may call: a token bucket, one for all worker processes."""

    _name = "fusion.billing.service.rate.limit"
    _description = "Rate Limit of a Source App"

    rate_limit = fields.Integer(
        string="Requests per Minute",
        default=DEFAULT_RATE,
        required=True,
        help="Above this the app is told to wait (HTTP 429). A tenth of it may arrive "
        "at once. 0: no limit.",
    )

    _rate_limit_valid = models.Constraint(
        "CHECK (rate_limit >= 0)",
        "The number of requests per minute cannot be negative.",
    )

    def _take_rate_token(self):
        """Count one request of this service.

        Its requests queue for one row, which must be free again at once: the cursor of
        the environment is one of :func:`.own_transaction.own_statements`.

        :return: an :class:`Allowance`; None where there is no limit
        """
        self.ensure_one()
        if not self.rate_limit:
            return None
        rate = self.rate_limit / 60
        burst = max(self.rate_limit / BURST_SHARE, MIN_BURST)
        values = {"service": self.id, "burst": burst, "rate": rate}
        self.env.cr.execute(_TAKE, values)
        granted, tokens = self.env.cr.fetchone()
        if not granted:
            self.env["fusion.billing.api.refusal"]._count(self)
        tokens = float(tokens)
        return Allowance(
            wait=0.0 if granted else (1 - tokens) / rate,
            size=int(burst),
            left=max(int(tokens), 0),
            full_in=(burst - tokens) / rate,
        )
