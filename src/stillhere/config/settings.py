"""Django's settings, made from the environment and the keys in the data folder.

Owns how Django is put together here. Every setting a person can make is read and checked in
environment.py and described in docs/settings.md. Fails with one kind line, before anything opens.
"""

import os
import socket
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from stillhere.config import databases, environment, keys, logs, wiring
from stillhere.content import languages, street_words
from stillhere.web.asgi import body_limits

try:
    STILLHERE = environment.read(os.environ)
    keys.keep_apart(STILLHERE.data, demo=STILLHERE.demo)
    SECRET_KEY = keys.read_secret(STILLHERE.keys)
    STILLHERE = keys.load(STILLHERE, wiring.wall_ms)
    STILLHERE = replace(STILLHERE, carriers=wiring.carriers(STILLHERE))
    _database = (
        databases.postgresql(STILLHERE.database_url)
        if STILLHERE.database_url
        else databases.sqlite(STILLHERE.data)
    )
except environment.SettingError as error:
    sys.exit(f"stillhere: {error}")

_SOURCE = Path(__file__).resolve().parent.parent

# What lower floors get from here instead of importing it.
RAW_NOW_MS = wiring.raw_now_ms
BOOT_MS = wiring.boot_ms
DAMAGED: tuple[str, ...] = ()  # tables that this start could not read; the web command looks
BOOT_ID = wiring.boot_id
PROVED_MS = wiring.proved_ms
WALL_MS = wiring.wall_ms
PHONE_NUMBER = wiring.phone_number(STILLHERE)
MAY_REACH = wiring.may_reach(STILLHERE)
TOLD_STEPS = wiring.told_steps
TIME_ZONE_OF = wiring.time_zone_of
BUILD_CHANNELS = wiring.build_channels
DERIVED_SECRET = wiring.derived_secret
RETIRE_KEYS = partial(keys.retire, STILLHERE.keys)

DEBUG = False
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.staticfiles", "stillhere.store"]
ROOT_URLCONF = "stillhere.config.urls"
APPEND_SLASH = False
# Links are made from the base URL, never from the Host header; these are the names we answer to.
_machine = socket.gethostname().lower()
ALLOWED_HOSTS = [STILLHERE.hostname, "localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS += [_machine, f"{_machine}.local"]  # what a phone in the same kitchen may type

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "stillhere.web.site.headers.ForbidMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "stillhere.web.access.cookies.PrefixMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "stillhere.web.site.errors.HonestMiddleware",
]
# In the memory of each process: parts of pages that are the same for many.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100},
    }
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_SOURCE / "web" / "templates"],
        "OPTIONS": {
            "builtins": ["stillhere.web.site.direction", "stillhere.web.site.fixed_addresses"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "stillhere.web.site.context.page",
            ],
        },
    }
]

# A folder each: ours, and what the host adds in the data folder.
LANGUAGE_CODE = languages.HOME
_locales = [languages.OURS, STILLHERE.data / "locale"]
SPOKEN, LANGUAGE_FAULTS = languages.find(*_locales[1:])
LANGUAGES = [(each.code, each.name) for each in SPOKEN.values()]
LANGUAGES_BIDI = [each.code for each in SPOKEN.values() if each.right_to_left]
LOCALE_PATHS = [folder for folder in _locales if folder.is_dir()]
UNDERSTOOD = SPOKEN.understood()
_street, STREET_FAULTS = street_words.find(STILLHERE.data / street_words.FILE, UNDERSTOOD)
if _street:
    UNDERSTOOD = SPOKEN.understood(_street)
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = STILLHERE.data / "static"
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATICFILES_DIRS = [_SOURCE / "web" / "static"]
STORAGES = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Nothing from anywhere else, nothing inline, and nobody may frame us.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "media-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
# Addresses hold keys, so no other site may see them. Not "no-referrer": with it browsers send
# "Origin: null" with every form, and Django rightly refuses such a form.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Over plain http a browser ignores it, and complains on every page.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if STILLHERE.https else None
X_FRAME_OPTIONS = "DENY"

# Cookies follow the base URL: on plain http in the kitchen a Secure cookie would never come back.
CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = STILLHERE.https
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = None  # gone with the browser: nothing of us may outlive it on a borrowed phone
CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [STILLHERE.base_url]
if STILLHERE.https:  # TLS ends at a proxy in front of us
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600

DATA_UPLOAD_MAX_MEMORY_SIZE = body_limits.PAGE.most
LOGGING = logs.configuration(STILLHERE.log)
