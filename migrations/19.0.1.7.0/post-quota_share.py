"""How much of the quota each window has used stands on its rating."""


def migrate(cr, version):
    """As the engine's ``Revision.quota_share``: in percent, rounded up to 0.01."""
    cr.execute(
        """
        UPDATE fusion_billing_rating
           SET quota_share = least(
                   ceil(quantity * 10000 / (terms->>'quota')::numeric) / 100,
                   2147483647)
         WHERE (terms->>'quota')::numeric > 0 AND quota_share IS NULL
        """
    )
