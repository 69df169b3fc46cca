"""Someone is down in front of a stranger: the first steps, without plan, account or database.

Owns ``/help-now`` and how ``content/first_steps.toml`` is read. Every sentence about what to do
stands in that file with its source. The page asks nothing and keeps nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from stillhere.web import lines
from stillhere.web.context import without_request


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in the reader's language, with what stands quietly beside it."""

    id: str
    says: str
    quiet: str


@lru_cache(maxsize=1)
def content() -> Mapping[str, Any]:
    """The file of steps as it is."""
    text = resources.files("stillhere.content").joinpath("first_steps.toml").read_text("utf-8")
    return tomllib.loads(text)


def steps(kind: str = "step") -> list[Step]:
    """The steps in order; with ``never`` what not to do."""
    reads = (get_language() or "en").partition("-")[0]
    return [
        Step(row["id"], _in(row["says"], reads), _in(row.get("quiet", {}), reads))
        for row in content()[kind]
    ]


def _in(says: Mapping[str, str], language: str) -> str:
    return says.get(language) or says.get("en", "")


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The page. It is put together without the context processor, which looks at the database."""
    given = {
        "request": request,
        "steps": steps(),
        "never": steps("never"),
        "signed": content()["reviewed_by"],
        "emergency": lines.emergency(),
    }
    return HttpResponse(without_request("help_now.html", given))
