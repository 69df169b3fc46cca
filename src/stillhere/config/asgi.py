"""What the web server runs: the fast lanes, for check-ins and for what carriers tell us, in front
of Django's pages, which another process makes while the supervisor runs one."""

from __future__ import annotations

import os
from typing import cast

import django
from asgiref.typing import ASGI3Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stillhere.config.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from stillhere.store.db.timeouts import be_impatient  # noqa: E402
from stillhere.store.watches.group_commit import WRITER  # noqa: E402  needs Django to be set up
from stillhere.web.asgi.body_limits import Door  # noqa: E402
from stillhere.web.asgi.check_in import FastLane  # noqa: E402
from stillhere.web.asgi.kept_pages import KeptPages  # noqa: E402
from stillhere.web.asgi.page_gate import Gate  # noqa: E402
from stillhere.web.asgi.page_handler import PageHandler  # noqa: E402
from stillhere.web.asgi.page_process import PagesBeside, is_beside  # noqa: E402
from stillhere.web.asgi.static_files import StaticLane  # noqa: E402
from stillhere.web.asgi.webhooks import WebhookLane  # noqa: E402
from stillhere.web.live.hub import Hub  # noqa: E402
from stillhere.web.live.lane import LiveLane  # noqa: E402

be_impatient()
WRITER.start()  # from here on it proves every second that this process can write
_django = cast(ASGI3Application, PageHandler())
_made = PagesBeside(settings.STILLHERE.data, _django) if is_beside() else _django
_pages = Door(StaticLane(KeptPages(Gate(_made))))
HUB = Hub()
LIVE = LiveLane(_pages, HUB)
application = FastLane(WebhookLane(LIVE, settings.STILLHERE.carriers))
