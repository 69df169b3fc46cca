"""Where the web server listens: what is said when it cannot."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from stillhere.cli.check import listening
from stillhere.config.environment import SettingError, Stillhere, read
from tests.installation import free_port


def here(host: str, port: int) -> Stillhere:
    return replace(read({}), host=host, port=port)


def test_a_free_port_may_be_used() -> None:
    for host in ("127.0.0.1", "localhost", "0.0.0.0"):
        listening.require(here(host, free_port()))


@pytest.mark.parametrize("host", ["192.0.2.99", "nobody.invalid", "2001:db8::99"])
def test_an_address_of_another_machine_names_the_host_not_the_port(host: str) -> None:
    with pytest.raises(SettingError) as told:
        listening.require(here(host, free_port()))
    assert str(told.value).startswith(f"STILLHERE_HOST={host} is no address of this machine.")
    assert "STILLHERE_PORT" not in str(told.value)


def test_whoever_has_the_port_is_named_with_one_that_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingError) as told:
            listening.require(here("127.0.0.1", port))
    assert f"Port {port} cannot be used: " in str(told.value)
    assert f"(process {os.getpid()}) has it" in str(told.value)
    assert "which is free" in str(told.value)


def test_where_nobody_may_look_it_is_another_program(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingError, match="another program has it"):
            listening.require(here("127.0.0.1", port), tmp_path)


def test_another_stillhere_is_called_by_its_name(tmp_path: Path) -> None:
    table = tmp_path / "proc/net/tcp"
    table.parent.mkdir(parents=True)
    row = "0: 0100007F:20E4 00000000:0000 0A 0:0 0:0 0 0 0 4711 1"
    table.write_text(f"head\n {row}\n")
    process = tmp_path / "proc/77"
    (process / "fd").mkdir(parents=True)
    (process / "fd/3").symlink_to("socket:[4711]")
    (process / "cmdline").write_text("python\0-m\0stillhere\0web\0")
    assert listening.holder(0x20E4, tmp_path) == "another Stillhere (process 77)"
    (process / "cmdline").write_text("nginx\0")
    (process / "comm").write_text("nginx\n")
    assert listening.holder(0x20E4, tmp_path) == "nginx (process 77)"
    assert listening.holder(8421, tmp_path) == ""


def test_a_port_without_rights_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(host: str, port: int) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(listening, "_bind", refused)
    with pytest.raises(SettingError, match="STILLHERE_PORT=80 needs rights"):
        listening.require(here("127.0.0.1", 80))
