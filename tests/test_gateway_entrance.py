"""Who may open a WebSocket: by origin, by host and by token, asked with real requests to a real gateway."""

import argparse
import logging
import os
import shutil
import ssl
import stat
import subprocess

import pytest
from tone import ToneStage
from web_game import SMALL, Caller, WebGame, gateway_to, wait_for
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus

from npc_engine.cli import main
from npc_engine.commands.common import UsageError
from npc_engine.commands.websocket import websocket_gateway, websocket_options
from npc_engine.gateway import token as tokens
from npc_engine.gateway.entrance import PROTOCOL, TOKEN_PREFIX, Entrance, check_origin
from npc_engine.gateway.gateway import GatewayError
from npc_engine.server.server import Server
from npc_engine.wire.messages import Ping, Pong

TOKEN = "correct-horse_battery-staple"  # noqa: S105 - of this test alone
SITE = "https://game.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(ToneStage(tmp_path_factory.mktemp("cast")), "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gateway(server):
    with gateway_to(server.guest, Entrance((SITE,))) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def asking(server):
    """A gateway that asks for a token."""
    with gateway_to(server.guest, Entrance((), TOKEN)) as gateway:
        yield gateway


def status(gateway, *headers, **options):
    with Caller(gateway) as caller:
        return caller.ask(*headers, **options)


# ── origins ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:5173", "http://127.0.0.1", "https://localhost", "http://[::1]:8080", "http://127.9.9.9:1", SITE],
)
def test_pages_of_this_machine_and_added_ones_come_in(gateway, origin):
    assert status(gateway, f"Origin: {origin}") == 101


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://evil.example:7891",
        "null",
        "https://game.example.evil.example",
        "https://game.example:8443",
        "http://game.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "http://evil.example/http://localhost",
        "http://192.168.1.5",
        "",
        "localhost",
        "//localhost",
        "file://",
    ],
)
def test_any_other_web_page_stays_out(gateway, origin):
    with Caller(gateway) as caller:
        assert caller.ask(f"Origin: {origin}") == 403
        assert b"are not let in: npc-engine serve --websocket" in caller.body()


def test_two_origins_are_none(gateway):
    assert status(gateway, f"Origin: {SITE}", "Origin: https://evil.example") == 403


def test_local_files_come_in_where_they_are_named(server):
    with gateway_to(server.guest, Entrance(("null",))) as gateway:
        assert status(gateway, "Origin: null") == 101


def test_a_page_under_a_number_address_may_reach_the_gateway_it_came_from():
    entrance = Entrance((), TOKEN)
    ask = {"Host": "192.168.1.5:7891", "Sec-WebSocket-Protocol": f"{PROTOCOL}, {TOKEN_PREFIX}{TOKEN}"}
    assert entrance.refusal(Headers(ask | {"Origin": "http://192.168.1.5:7891"})) is None
    assert entrance.refusal(Headers(ask | {"Origin": "http://192.168.1.5:80"})).status == 403
    rebound = {"Host": "evil.example:7891", "Origin": "http://evil.example:7891"}  # a name may point anywhere
    assert entrance.refusal(Headers(ask | rebound)).status == 403


def test_programs_that_are_no_browser_send_no_origin(gateway):
    assert status(gateway) == 101


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7891", "192.168.1.5", "", "localhost.evil.example"])
def test_without_a_token_another_host_name_is_refused(gateway, host):
    """A name of a stranger's that points at 127.0.0.1, or a proxy that passes on its own."""
    assert status(gateway, host=host) in {400, 403}
    with Caller(gateway) as caller:
        assert caller.request(host=host) in {400, 403}


@pytest.mark.parametrize("header", ["X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7", "Via: 1.1 proxy"])
def test_without_a_token_what_came_through_a_proxy_is_refused(gateway, asking, header):
    assert status(gateway, header) == 403
    assert status(asking, header, f"Authorization: Bearer {TOKEN}") == 101


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Game.example/", "https://game.example"),
        ("https://game.example:443", "https://game.example"),
        ("http://game.example:80", "http://game.example"),
        ("http://game.example:8080", "http://game.example:8080"),
        ("null", "null"),
    ],
)
def test_origins_are_written_as_browsers_write_them(given, kept):
    assert check_origin(given) == kept


@pytest.mark.parametrize("origin", ["game.example", "https://", "https://game.example/play", "*", "", "https://a b"])
def test_what_is_no_origin_is_told(origin):
    with pytest.raises(ValueError, match="expected SCHEME://HOST"):
        check_origin(origin)


# ── the token ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_with_the_token_comes_in_and_the_answer_does_not_repeat_it(asking):
    with WebGame(asking.address, subprotocols=[PROTOCOL, TOKEN_PREFIX + TOKEN]) as game:
        assert game.socket.subprotocol == PROTOCOL
        assert TOKEN not in str(game.socket.response.headers)
        game.send(Ping(1))
        assert game.receive() == Pong(1)


def test_another_program_may_send_it_as_bearer(asking):
    with WebGame(asking.address, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as game:
        game.send(Ping(1))
        assert game.receive() == Pong(1)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ((), b"no token came"),
        (("Authorization: Bearer wrong",), b"a wrong token came"),
        (("Authorization: Bearer ",), b"no token came"),
        ((f"Authorization: Basic {TOKEN}",), b"no token came"),
        ((f"Sec-WebSocket-Protocol: {PROTOCOL}, {TOKEN_PREFIX}{TOKEN}x",), b"a wrong token came"),
        ((f"Sec-WebSocket-Protocol: {PROTOCOL}, {TOKEN_PREFIX}{TOKEN[:-1]}",), b"a wrong token came"),
        ((f"Sec-WebSocket-Protocol: {TOKEN}",), b"no token came"),
        ((f"Sec-WebSocket-Protocol: {TOKEN_PREFIX}{TOKEN}", "Authorization: Bearer wrong"), b"2 tokens came"),
        (("Authorization: Bearer caf\xe9",), b"a wrong token came"),
    ],
)
def test_without_the_token_nobody_comes_in(asking, headers, text):
    with Caller(asking) as caller:
        assert caller.ask(*headers) == 401
        body = caller.body()
        assert text in body
        assert TOKEN.encode() not in body


def test_the_token_is_not_taken_from_the_address(asking):
    """Addresses stand in logs and histories."""
    assert status(asking, path=f"/?token={TOKEN}") == 401


def test_a_token_opens_no_door_to_a_strange_page(asking):
    assert status(asking, f"Authorization: Bearer {TOKEN}", "Origin: https://evil.example") == 403


def test_strangers_do_not_fill_the_log_and_nothing_secret_stands_in_it(asking, caplog):
    with caplog.at_level(logging.DEBUG):
        for _ in range(20):
            assert status(asking, "Authorization: Bearer guess-guess-guess-guess") == 401
        for _ in range(5):
            with Caller(asking) as caller:
                caller.socket.sendall(b"\x00\x01nonsense\r\n\r\n")
                caller.is_ended()
    assert len(caplog.records) <= 2
    assert "guess" not in caplog.text
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(Entrance((), TOKEN))


def test_a_token_file_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "deep" / "websocket.token"
    token = tokens.read_token(path)
    assert len(token) == 43
    assert tokens.read_token(path) == token
    assert tokens.read_token(tmp_path / "other.token") != token
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "holds 0 characters"), ("short", "holds 5 characters"), ("with a space in the middle!", "expected a token")],
)
def test_a_token_file_that_holds_none_is_told_without_what_it_holds(tmp_path, text, told):
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(tokens.TokenError, match=told) as caught:
        tokens.read_token(path)
    assert not text or text not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_a_token_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "token"
    tokens.read_token(path)
    path.chmod(0o644)
    with pytest.raises(tokens.TokenError, match=r"others on this machine may read it \(mode 0644\): chmod 600"):
        tokens.read_token(path)


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_and_its_modules_are_served(gateway):
    for path, kind in (("/", b"text/html"), ("/npc_engine.js", b"text/javascript"), ("/page.css?v=2", b"text/css")):
        with Caller(gateway) as caller:
            assert caller.request(path=path) == 200
            body = caller.body()
            assert b"Content-Type: " + kind in caller.answer
            assert b"default-src 'none'" in caller.answer
            assert len(body) > 500


@pytest.mark.parametrize(
    "path",
    [
        "/README.md",
        "/../pyproject.toml",
        "/%2e%2e/npcs.toml",
        "//etc/passwd",
        "/index.html/",
        "/npc_engine.py",
        "/./page.js",
    ],
)
def test_nothing_else_is_served(gateway, path):
    with Caller(gateway) as caller:
        assert caller.request(path=path) == 404
    assert status(gateway, path="/engine") == 404


def test_the_page_is_served_to_whoever_may_bring_a_token(asking):
    with Caller(asking) as caller:
        assert caller.request(host="game.example") == 200
        assert TOKEN.encode() not in caller.body()


# ── options ───────────────────────────────────────────────────────────────────────────────────────────────────────


def options(*given):
    parser = argparse.ArgumentParser()
    websocket_options(parser)
    return parser.parse_args(given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--websocket", "http://x"), "--websocket is 'http://x', expected PORT or HOST:PORT"),
        (("--websocket", "0"), "expected PORT or HOST:PORT"),
        (("--websocket", "70000"), "expected PORT or HOST:PORT"),
        (("--origin", SITE), "--origin is of WebSockets: add --websocket"),
        (("--tls-key", "x.pem"), "--tls-key is of WebSockets"),
        (("--websocket", "7891", "--origin", "game.example"), "--origin: origin is 'game.example', expected SCHEME://"),
        (("--websocket", "7891", "--tls-cert", "x.pem"), "go together"),
        (("--websocket", "7891", "--tls-cert", "x.pem", "--tls-key", "y.pem"), "can't be used: .*No such file"),
    ],
)
def test_options_that_can_not_be_are_told_before_anything_is_loaded(given, told):
    with pytest.raises(UsageError, match=told):
        websocket_gateway(options(*given))


def free_port():
    with gateway_to(None) as gateway:
        return gateway.port


def test_a_gateway_as_the_options_ask_for(server, tmp_path, caplog):
    file, port = tmp_path / "token", free_port()
    given = options("--websocket", f"localhost:{port}", "--token", str(file), "--origin", SITE)
    with caplog.at_level(logging.INFO), websocket_gateway(given)(server):
        token = file.read_text(encoding="ascii").strip()
        url = f"http://localhost:{port}/"
        with WebGame(url, subprotocols=[PROTOCOL, TOKEN_PREFIX + token], origin=SITE) as game:
            game.send(Ping(1))
            assert game.receive() == Pong(1)
        with pytest.raises(InvalidStatus):
            WebGame(url)
    assert f"who brings the token in {file}, just made, is let in" in caplog.text
    assert token not in caplog.text
    with websocket_gateway(options())(server):
        pass


def test_any_host_but_loopback_asks_for_a_token(server, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(tokens, "default_file", lambda: tmp_path / "websocket.token")
    given = options("--websocket", f"0.0.0.0:{free_port()}")
    with caplog.at_level(logging.INFO), websocket_gateway(given)(server), pytest.raises(InvalidStatus):
        WebGame(f"http://127.0.0.1:{given.websocket.rpartition(':')[2]}/")
    assert (tmp_path / "websocket.token").exists()
    assert "whoever watches the network can read it" in caplog.text


def test_a_port_that_is_taken_is_told(server, gateway):
    opened = websocket_gateway(options("--websocket", str(gateway.port)))(server)
    with pytest.raises(UsageError, match=r"can't listen for WebSockets on 127\.0\.0\.1"), opened:
        pass
    with pytest.raises(GatewayError), gateway_to(server.guest, port=gateway.port):
        pass


def test_the_command_tells_what_is_wrong_with_the_options(capsys):
    assert main(["serve", "--websocket", "nowhere"]) == 2
    assert "--websocket is 'nowhere', expected PORT or HOST:PORT" in capsys.readouterr().err


# ── TLS ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        text = "openssl is missing, which makes a certificate: apt install openssl"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def test_wss_with_a_certificate(server, certificate):
    cert, key = certificate
    port = free_port()
    given = options("--websocket", str(port), "--tls-cert", str(cert), "--tls-key", str(key))
    with websocket_gateway(given)(server):
        trusting = ssl.create_default_context(cafile=str(cert))
        with WebGame(f"https://127.0.0.1:{port}/", ssl=trusting) as game:
            game.send(Ping(1))
            assert game.receive() == Pong(1)


def test_a_tls_handshake_that_never_ends_is_given_up(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with gateway_to(server.guest, tls=context, bounds=SMALL) as gateway:
        callers = [Caller(gateway) for _ in range(3)]
        assert all(caller.is_ended() for caller in callers)
        for caller in callers:
            caller.socket.close()
        wait_for(lambda: gateway.websockets == 0)
