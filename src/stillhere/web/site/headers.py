"""What every page of ours, made by Django or without it, forbids a browser.

Owns the two headers Django knows no setting for: no page uses a camera, a microphone or a place,
not even if something managed to run in it, and no other site may embed anything of ours.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

# Names that some browsers do not know are left out: each would be an error in their consoles.
_USED = ("autoplay", "screen-wake-lock")  # the sound of an ask, a lit screen
_UNUSED = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "encrypted-media",
    "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts",
    "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "serial", "storage-access", "usb", "xr-spatial-tracking",
)  # fmt: skip
FORBIDS = {
    "Permissions-Policy": ", ".join(
        [f"{name}=(self)" for name in _USED] + [f"{name}=()" for name in _UNUSED]
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ForbidMiddleware(MiddlewareMixin):
    """Adds them to whatever Django answers."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        for name, value in FORBIDS.items():
            response.headers.setdefault(name, value)
        return response
