"""Who is asking: sessions, a contact's phone, how often; and addresses typed by hand."""
