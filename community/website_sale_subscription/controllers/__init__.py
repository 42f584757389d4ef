from . import cart, main, product_configurator, variant
