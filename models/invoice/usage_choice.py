"""What becomes of usage that a credit note credits."""

# Of usage that is credited in full; what is credited in part is forgiven.
USAGE_CHOICES = [
    ("forgive", "Forgive it: it is not billed again"),
    ("again_today", "Bill it again, at the price valid then"),
    ("again_billed", "Bill it again, at the billed price"),
]


def usage_choice_values(choice):
    """What a credit note stores of a key of :data:`USAGE_CHOICES` (dict)."""
    return {
        "fc_bill_again": choice != "forgive",
        "fc_at_billed_price": choice == "again_billed",
    }
