"""What `stillhere check` says of calls that cannot be recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings

from stillhere.cli.check import recordings
from stillhere.config.environment import Stillhere
from tests.channels.accounts import carrier_of


@pytest.mark.parametrize(
    ("carriers", "says"),
    [
        ((("twilio", ("text", "call")),), ""),
        ((), ""),
        ((("sip", ("call",)),), "Nor can they text it here."),
        ((("sip", ("call",)), ("android", ("text",))), "They are told to text it."),
        ((("telnyx", ("text", "call")),), "They are told to text it."),
    ],
)
def test_calls_that_cannot_be_recorded_are_named(
    carriers: tuple[tuple[str, tuple[str, ...]], ...], says: str
) -> None:
    ours = [carrier_of(kind, "http://127.0.0.1:1", name=kind, carries=by) for kind, by in carriers]
    here: Stillhere = replace(settings.STILLHERE, carriers=tuple(ours))
    found = list(recordings.by_call(here))
    if not says:
        assert found == []
    else:
        [(well, said)] = found
        assert not well
        assert said.startswith(f"Calls by {carriers[0][0]} cannot be recorded")
        assert said.endswith(says)
