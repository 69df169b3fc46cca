"""Messages: delivery, receipts, what still holds, and whether what is urgent reaches anybody."""
