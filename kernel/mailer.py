"""Where mail goes: an SMTP server, or a folder of .eml files where none is configured."""

from __future__ import annotations

import smtplib
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Mailer:
    def __init__(self, smtp_url: str | None, sender: str, folder: Path) -> None:
        self._smtp_url = smtp_url
        self._sender = sender
        self.folder = folder

    def send(self, *, to: str, subject: str, body: str, now: datetime) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Date"] = format_datetime(now)  # without it many servers take a letter for spam
        message["Message-ID"] = make_msgid(domain="sutian.test")
        message.set_content(body)
        if self._smtp_url is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = str(message["Message-ID"]).strip("<>").split("@")[0]
            (self.folder / f"{name}.eml").write_bytes(bytes(message))
            return
        url = urlsplit(self._smtp_url)
        kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
        with kind(url.hostname or "127.0.0.1", url.port or 25, timeout=20) as server:
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(message)
