"""A mail server on loopback that keeps what it is handed: so much of SMTP as a client needs."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Postbox:
    """`url` for SMTP_URL; `refuses` holds the addresses nobody has here."""

    url: str
    refuses: set[str] = field(default_factory=set)
    arrived: list[tuple[str, EmailMessage]] = field(default_factory=list)


@contextmanager
def postbox() -> Iterator[Postbox]:
    """A server on a free port until the block ends."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 postbox")
            receiver = ""
            while line := self.rfile.readline().decode().strip():
                word = line[:4].upper()
                if word == "DATA":
                    self.say("354 go on, end with a dot")
                    kept.arrived.append((receiver, self.letter()))
                elif word == "RCPT":
                    receiver = line.partition("<")[2].partition(">")[0]
                    if receiver in kept.refuses:
                        self.say("550 nobody of that name")
                        continue
                elif word == "QUIT":
                    return self.say("221 goodbye")
                self.say("250 well")
            return None

        def letter(self) -> EmailMessage:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return message_from_bytes(b"".join(lines), policy=policy.default)

        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        kept = Postbox(f"smtp://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield kept
        finally:
            server.shutdown()
