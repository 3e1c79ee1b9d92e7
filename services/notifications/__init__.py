"""notifications: letters and mails to members, their language and what their address may be used for."""
