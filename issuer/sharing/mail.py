"""Mail out: one plain-text message by SMTP, encrypted on the way whenever a password is used."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from issuer.settings import Settings
from issuer.sharing.webhooks import NotDeliveredError

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be sent. `manage_url` ends up in the text and in List-Unsubscribe (RFC 2369, RFC 8058)."""

    message_id: str
    to: str
    subject: str
    text: str
    manage_url: str
    unsubscribe_url: str


def offers_mail(settings: Settings) -> bool:
    """Whether a mail server is configured."""
    return settings.smtp_url is not None


def send(settings: Settings, letter: Letter) -> None:
    """Hand the letter to the configured server; raises NotDeliveredError."""
    if settings.smtp_url is None:
        raise NotDeliveredError("no-mail-server")
    parts = urlsplit(settings.smtp_url.get_secret_value())
    host = parts.hostname or "localhost"
    context = ssl.create_default_context()
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
        with server:
            server.ehlo()
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif parts.scheme == "smtp" and parts.username:
                raise NotDeliveredError("mail-not-encrypted")
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(_message(settings, letter, host))
    except smtplib.SMTPRecipientsRefused as exc:
        codes = [code for code, _ in exc.recipients.values()]
        raise NotDeliveredError("mail-refused", final=all(code >= 500 for code in codes)) from exc
    except (smtplib.SMTPException, OSError) as exc:
        raise NotDeliveredError("mail-not-sent") from exc


def _message(settings: Settings, letter: Letter, host: str) -> EmailMessage:
    message = EmailMessage()
    sender = settings.mail_from or f"ecert@{host}"
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
    message["Message-ID"] = f"<{letter.message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    return message
