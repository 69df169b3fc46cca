"""Who is asking: sessions, a contact's phone, how often; typed addresses, who can be reached."""
