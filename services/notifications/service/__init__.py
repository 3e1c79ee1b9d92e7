"""The use cases of notifications, split by what they look after: members, letters, mails."""
