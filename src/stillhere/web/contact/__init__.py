"""The one page of a contact: invitation, quiet days, an alarm in words, what happened."""
