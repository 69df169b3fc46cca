"""The chat and push apps we can be pointed at, by the beginning of their address. No import: what
speaks to them (``chat.py``) is slow to load."""

from __future__ import annotations

# Services with a place of their own, wherever an address of theirs leads.
_SERVICES = """
    discord gchat groupme ilert join line opsgenie pagerduty pbul pover prowl pushy
    revolt signl4 simplepush slack splunk spush squadcast tgram threema webex whatsapp wxteams
"""
# Apps that somebody runs on a server of their own, whose host stands in the address.
_ON_A_SERVER = """
    bark barks betterstack goalert goalerts gotify gotifys hassio hassios mastodon mastodons
    matrix matrixs mmost mmosts nctalk nctalks ntfy ntfys rocket rockets signal signals synology
    synologys toot toots zulip
"""
# Any request to any host: for whoever runs the installation, never for who types on a page.
_REQUESTS = "apprise apprises form forms json jsons"

# A schema joins after a look at its plugin: no local file or program, no other protocol (the wall
# at ``_connect`` in chat.py stands in urllib3 only).
SERVICES, ON_A_SERVER, REQUESTS = (
    frozenset(names.split()) for names in (_SERVICES, _ON_A_SERVER, _REQUESTS)
)
APPS = SERVICES | ON_A_SERVER | REQUESTS

# Servers that are open to everybody, so that their names say nothing about who runs them.
PUBLIC_HOSTS = frozenset({"ntfy.sh", "api.day.app", "matrix.org", "mastodon.social"})
PUBLIC_DOMAINS = (".zulipchat.com",)
