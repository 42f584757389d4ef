"""What customers see of their usage."""
