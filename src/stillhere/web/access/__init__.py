"""Who is asking: sessions, a contact's phone, how often; typed addresses, which channels are there,
and whether it is only practice."""
