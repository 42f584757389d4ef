"""Agreements say of which day their exchange rates are.

Of those that were settled after their window had ended it is the day of its end. Others
can have been settled more than once: not known. Open ones are agreed anew when they are
rated.
"""


def migrate(cr, _version):
    cr.execute(
        """
        UPDATE fusion_billing_window_charge a
           SET rate_date = w.end_day
          FROM fusion_billing_window w
         WHERE w.id = a.window_id AND a.state = 'settled'
           AND a.rate_from IS NOT NULL AND a.rate_date IS NULL
           AND w.end_day <= w.settled_at::date
        """
    )
