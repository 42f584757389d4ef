"""From usage to amounts: calendar, windows, quantities, prices, what was charged."""
