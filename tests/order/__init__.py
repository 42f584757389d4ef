"""What happens on a sales order itself."""
