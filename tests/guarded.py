"""What tests of keys share: a folder with a server's and two clients', games that say what they like, a wire tap."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import zmq

from npc_engine import keys
from npc_engine.client import Client
from npc_engine.wire.codec import decode_reply, encode
from npc_engine.wire.messages import Hello


class Lodge:
    """A folder of keys with a server's and two clients', anna's and ben's, both let in."""

    def __init__(self, folder):
        self.folder = folder
        self.server = keys.new_pair(folder, keys.SERVER)
        self.anna = self.make("anna")
        self.ben = self.make("ben")

    def make(self, name, allow=True):
        pair = keys.new_pair(self.folder, name)
        if allow:
            keys.allow(self.folder, name, pair.public)
        return pair

    def client(self, address, pair, timeout_s=20.0):
        return Client(address, timeout_s, pair.name, server_key=self.server.public, key=pair)


class Game:
    """A DEALER that says what it likes, with whatever keys; `security` is called with its socket."""

    def __init__(self, address, security=None, identity=b""):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        if identity:
            self.socket.setsockopt(zmq.ROUTING_ID, identity)
        if security:
            security(self.socket)
        self._ends = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.socket.connect(address)

    def send(self, message):
        self.socket.send_multipart(message if isinstance(message, list) else encode(message), zmq.NOBLOCK)

    def hello(self):
        self.send(Hello(1, "game"))
        assert self.receive().kind == "welcome"
        return self

    def receive(self, timeout_s=20.0):
        assert self.socket.poll(int(timeout_s * 1000)), "nothing came"
        return decode_reply(self.socket.recv_multipart())

    def hears(self, timeout_s):
        """Whether anything comes within a time."""
        return bool(self.socket.poll(int(timeout_s * 1000)))

    def is_ended(self, timeout_s):
        """Whether its connection is ended within a time, by whomever."""
        return bool(self._ends.poll(int(timeout_s * 1000)))

    def close(self):
        self.socket.disable_monitor()
        self._ends.close(0)
        self.socket.close()
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def curve(server_key, pair):
    """The security of a game that has keys."""

    def secure(game):
        game.setsockopt(zmq.CURVE_SERVERKEY, server_key.encode())
        game.setsockopt(zmq.CURVE_PUBLICKEY, pair.public.encode())
        game.setsockopt(zmq.CURVE_SECRETKEY, pair.secret.encode())

    return secure


def plain(game):
    """The security of a game that has a password."""
    game.setsockopt(zmq.PLAIN_USERNAME, b"anna")
    game.setsockopt(zmq.PLAIN_PASSWORD, b"secret")


def endpoint(address):
    host, port = address.removeprefix("tcp://").split(":")
    return host, int(port)


class Tap:
    """Passes one TCP connection on to `address` and keeps what the client sent, piece by piece."""

    def __init__(self, address):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._to = endpoint(address)
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        near, _ = self._listener.accept()
        self._listener.close()
        far = socket.create_connection(self._to)
        back = threading.Thread(target=self._pass, args=(far, near, []), daemon=True)
        back.start()
        self._pass(near, far, self.sent)
        back.join(10)
        near.close()
        far.close()

    @staticmethod
    def _pass(source, to, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                kept.append(data)
                to.sendall(data)
        for end in (source, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def join(self):
        self._threads[0].join(20)
        assert not self._threads[0].is_alive()


def reads_until_closed(connection, seconds=20.0):
    """Read a TCP connection to its end; whether it was ended within a time."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def wait_for(happened, seconds=20.0):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)
