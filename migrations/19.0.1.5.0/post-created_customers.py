def migrate(cr, version):
    """Note of each account whether its app has created the customer.

    It did where customer and account were made by one request: in one transaction, as
    the superuser, and nothing else of the kind in it, as a script makes. Whatever else
    there is was linked by somebody, and keeps its name and e-mail from now on.
    """
    cr.execute(
        """
        UPDATE fusion_billing_account_link k SET created_partner_ref = p.id
          FROM res_partner p
         WHERE p.id = k.partner_id AND p.create_uid = 1 AND k.create_uid = 1
           AND p.create_date = k.create_date
           AND NOT EXISTS (
                   SELECT FROM fusion_billing_account_link other
                    WHERE other.create_date = k.create_date AND other.id <> k.id)
        """
    )
