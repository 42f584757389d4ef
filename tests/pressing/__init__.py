"""Every button of both modules, pressed in a browser as each group."""
