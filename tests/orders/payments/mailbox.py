"""A real SMTP server on this machine that keeps what it is given."""

from __future__ import annotations

import socket
from email import message_from_bytes
from email.header import decode_header, make_header

from aiosmtpd.controller import Controller


class Mailbox:
    """Listens on a free port from the beginning; `close` ends it."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str, str]] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=port)
        self.controller.start()
        self.url = f"smtp://127.0.0.1:{port}"

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802  its own name
        message = message_from_bytes(envelope.content)
        subject = str(make_header(decode_header(message["Subject"])))
        body = message.get_payload(decode=True).decode()
        self.letters += [(to, subject, body) for to in envelope.rcpt_tos]
        return "250 kept"

    def close(self) -> None:
        self.controller.stop()

    def to(self, address: str) -> list[str]:
        """Subjects of what this person got, in the order it came."""
        return [subject for to, subject, _ in self.letters if to == address]
