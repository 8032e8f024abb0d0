"""The console as commands serve it: beside the service, in the demo, alone; and the tokens of people."""

import re
import socket

import requests

from tests.cli.command import Desk
from tests.free_ports import free_port
from tests.waiting import until


def test_the_service_serves_the_console_and_a_second_one_beside_it_too(desk: Desk) -> None:
    """A busy port costs the page and nothing else; alone, `stlflow console` says it and ends."""
    port = free_port()
    with desk.serving("run", STLFLOW_CONSOLE_PORT=str(port)) as running:
        assert until(lambda: f"Console: http://127.0.0.1:{port}" in running.said())
        url = f"http://127.0.0.1:{port}"
        assert until(lambda: requests.get(url, timeout=60).status_code == 200)
        assert "Nothing waits for you." in requests.get(url, timeout=60).text
        refused = desk.run("console", STLFLOW_CONSOLE_PORT=str(port))
        assert (refused.code, f"port {port}" in refused.err) == (2, True)
        other = free_port()
        with desk.serving("console", STLFLOW_CONSOLE_PORT=str(other)) as alone:
            assert until(lambda: f"Console: http://127.0.0.1:{other}" in alone.said())
            assert until(lambda: requests.get(f"http://127.0.0.1:{other}", timeout=60).status_code == 200)
            assert alone.stop() == 0
        assert running.stop() == 0


def test_a_service_without_a_free_port_works_all_the_same(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with desk.serving("run", STLFLOW_CONSOLE_PORT=port) as running:
            assert until(lambda: "Watching" in running.said())
            assert f"port {port}" in running.said()
            assert "Console: " not in running.said()
            assert running.stop() == 0


def test_tokens_are_made_listed_and_revoked(desk: Desk) -> None:
    made = desk.run("console", "token", "--name", "Anna", "--role", "view")
    assert re.fullmatch(r"[\w-]{43}\n", made.out)
    assert "shown only now" in made.err
    assert re.fullmatch(r"Anna  view  \d{4}-\d\d-\d\d\n", desk.run("console", "token", "--list").out)
    assert made.out.strip() not in (desk.state / "stlflow.db").read_bytes().decode("latin-1")
    assert desk.run("console", "token", "--revoke", "Anna").code == 0
    assert desk.run("console", "token", "--revoke", "Anna").code == 1
    assert desk.run("console", "token").code == 2
    assert desk.run("console", "token", "--name", "TV", "--role", "wall", "--without-names").code == 0
    assert "TV  wall without names  20" in desk.run("console", "token", "--list").out
    refused = desk.run("console", "token", "--name", "Anna", "--without-names")
    assert (refused.code, "--role wall" in refused.err) == (2, True)


def test_a_console_without_a_database_says_what_to_do(desk: Desk) -> None:
    ended = desk.run("console", STLFLOW_CONSOLE_PORT=str(free_port()))
    assert (ended.code, "Start `stlflow run` first" in ended.err) == (2, True)
