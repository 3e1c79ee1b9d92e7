"""Every page and state (`states`), how a browser gets there (`visits`), what it is held to (`measures`)."""
