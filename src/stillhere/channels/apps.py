"""The chat and push apps we can be pointed at, by the beginning of their address. No import: what
speaks to them (``chat.py``) is slow to load."""

from __future__ import annotations

# Apps that reach a person over HTTP. A schema joins after a look at its plugin: no local file or
# program, no other protocol (the wall at ``_connect`` stands in urllib3 only).
_APPS = """
    apprise apprises bark barks betterstack discord form forms gchat goalert goalerts gotify gotifys
    groupme hassio hassios ilert join json jsons line mastodon mastodons matrix matrixs
    mmost mmosts nctalk nctalks ntfy ntfys opsgenie pagerduty pbul pover prowl pushy revolt rocket
    rockets signal signals signl4 simplepush slack splunk spush squadcast synology synologys tgram
    threema toot toots webex whatsapp wxteams zulip
"""
APPS = frozenset(_APPS.split())
