"""What people said in a call: fetched from the carrier, kept sealed, deleted there."""
