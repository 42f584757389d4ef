"""Lives of subscriptions, played through public names, billed to the cent."""
