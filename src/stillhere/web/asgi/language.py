"""The language of a request before Django has seen it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping

from django.conf import settings
from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)

MOST_COOKIES = 4096


def of(headers: Mapping[bytes, bytes]) -> str:
    """The language chosen on our pages, else the browser's, else ours."""
    cookies = headers.get(b"cookie", b"").decode("latin-1")[:MOST_COOKIES]
    chosen = rf"(?:^|;\s*){settings.LANGUAGE_COOKIE_NAME}=([A-Za-z-]{{2,8}})(?:;|$)"
    accepted = headers.get(b"accept-language", b"").decode("latin-1")[:200].lower()
    names = re.findall(chosen, cookies)
    for name in (*names, *(name for name, _ in parse_accept_lang_header(accepted))):
        with contextlib.suppress(LookupError):
            return get_supported_language_variant(name)
    return str(settings.LANGUAGE_CODE)
