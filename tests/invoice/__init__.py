"""Invoices: billed once, credited, taken back."""
