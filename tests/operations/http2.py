"""As much of HTTP/2 as is needed to send a body that does not say how large it is."""

import datetime as dt
import select
import socket
import ssl
import struct
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DATA, HEADERS, RESET, SETTINGS, AWAY, WINDOW = 0, 1, 3, 4, 7, 8
END_STREAM, END_HEADERS, ACKNOWLEDGED = 1, 4, 1
FIRST_WINDOW = 65_535


def make_certificate(folder: Path) -> Path:
    """A folder with a certificate of this machine, signed by itself, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    begin = dt.datetime(2020, 1, 1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=36_500))
    path = folder / "certificate"
    path.mkdir()
    signed = made.sign(key, hashes.SHA256())
    (path / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    (path / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    )
    return path


def _frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


def _header(name: str, value: str) -> bytes:
    """Without a table and without compression."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


class _Connection:
    def __init__(self, port: int):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30))
        assert self.socket.selected_alpn_protocol() == "h2"
        self.windows = {0: FIRST_WINDOW, 1: FIRST_WINDOW}
        self.first_window, self.status, self.over = FIRST_WINDOW, 0, False

    def read_one(self) -> None:
        """Read a frame: how much may be sent, or the answer."""
        try:
            head = self._exactly(9)
            body = self._exactly(int.from_bytes(head[:3], "big"))
        except OSError:
            self.over = True
            return
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9], "big")
        if kind == SETTINGS and not flags & ACKNOWLEDGED:
            for number, value in struct.iter_unpack(">HI", body):
                if number == 4:
                    self.windows[1] += value - self.first_window
                    self.first_window = value
            self.socket.sendall(_frame(SETTINGS, ACKNOWLEDGED, 0))
        elif kind == WINDOW:
            self.windows[stream] += int.from_bytes(body, "big")
        elif kind == HEADERS:
            # the status is in the table of known headers, or three digits after its name
            self.status = {0x88: 200}.get(body[0]) or int(body.split(b"\x03", 1)[1][:3])
        self.over = self.over or kind in (RESET, AWAY) or (kind in (DATA, HEADERS) and bool(flags & END_STREAM))

    def has_news(self) -> bool:
        """Whether a frame has come, or comes in a moment."""
        return not self.over and bool(self.socket.pending() or select.select([self.socket], [], [], 0.01)[0])

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self.socket.recv(size - len(found))
            if not part:
                raise ConnectionError
            found += part
        return found


def post_without_length(port: int, path: str, size: int) -> tuple[int, int]:
    """Send so many bytes to a path, as far as they are taken: the status of the answer, and how many were sent."""
    connection = _Connection(port)
    with connection.socket as wire:
        wire.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(SETTINGS, 0, 0))
        named = {":method": "POST", ":scheme": "https", ":authority": "localhost", ":path": path}
        wire.sendall(_frame(HEADERS, END_HEADERS, 1, b"".join(_header(*each) for each in named.items())))
        sent = 0
        while sent < size and not connection.status and not connection.over:
            part = min(16_384, size - sent, *connection.windows.values())
            if part <= 0:
                connection.read_one()
                continue
            wire.sendall(_frame(DATA, END_STREAM if sent + part == size else 0, 1, b"x" * part))
            connection.windows = {stream: left - part for stream, left in connection.windows.items()}
            sent += part
            while connection.has_news():
                connection.read_one()
        while not connection.over and not connection.status:
            connection.read_one()
        return connection.status, sent
