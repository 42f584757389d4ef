"""Start no emails to customers by an update: the plans of before do not send them."""


def migrate(cr, version):
    cr.execute(
        "ALTER TABLE sale_subscription_plan"
        " ADD COLUMN IF NOT EXISTS send_customer_mails boolean"
    )
    cr.execute("UPDATE sale_subscription_plan SET send_customer_mails = FALSE")
