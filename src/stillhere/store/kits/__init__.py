"""Kits and who carries them, kinds of naloxone, supply warnings, spreadsheets, dates as people
write them."""
