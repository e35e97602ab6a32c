"""`farebox webhooks`: the URLs that events are sent to. A signing secret is printed once."""

from __future__ import annotations

from typing import Annotated

import typer

from farebox.cli.output import AsJson, note, show, show_list
from farebox.cli.secret import note_its_origin, open_secret
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.engine.spawn import DATABASE_VARIABLE
from farebox.service.deliveries import list_deliveries
from farebox.service.forms.common import Nothing
from farebox.service.forms.webhook import WebhookBegun, WebhookEnd, WebhookMake
from farebox.service.pages import turn
from farebox.service.webhooks import list_webhooks, shown
from farebox.settings import process_environment, read_settings

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("webhook_id", "profile_id", "url", "event_types", "is_enabled", "created_at")
DELIVERY_COLUMNS = (
    "message_id",
    "event_type",
    "profile_id",
    "created_at",
    "attempts",
    "last_status",
    "last_error",
    "next_attempt_at",
    "delivered_at",
    "gave_up_at",
)
SHOWN_DEFAULT = 25
SHOWN_MAX = 100
ONCE = "Keep the secret: it is not shown again."

WebhookId = Annotated[str, typer.Argument(help="Id of the webhook.")]


@app.command()
def create(
    url: Annotated[str, typer.Argument(help="Where messages are sent to, an https URL.")],
    *,
    workspace: Annotated[
        int | None,
        typer.Option(help="Id of the workspace whose events are sent. Default: all.", min=1),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(help="An event that is sent; may be given several times. Default: all."),
    ] = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Have events sent to a URL, signed with a secret that is printed once.

    It is derived from the server's FAREBOX_SECRET: give the command the same one.
    """
    session = Session(database)
    settings = read_settings({**process_environment(), DATABASE_VARIABLE: database})
    secret = open_secret(session, settings)
    form = WebhookMake(
        url=url,
        profile_id=workspace,
        event_types=event or None,
        is_http_allowed=settings.webhook_private,
    )
    begun = session.call("webhooks.create", form, WebhookBegun)
    show(shown(begun, secret), as_json=as_json)
    note_its_origin(session, settings)
    note(ONCE)


@app.command()
def delete(webhook_id: WebhookId, *, database: Database = DATABASE_DEFAULT) -> None:
    """Delete a webhook for good."""
    Session(database).call("webhooks.delete", WebhookEnd(webhook_id=webhook_id), Nothing)
    note(f"{webhook_id} is deleted.")


@app.command("list")
def list_all(*, database: Database = DATABASE_DEFAULT, as_json: AsJson = False) -> None:
    """List the webhooks."""
    rows = Session(database).read_all(list_webhooks)
    show_list(rows, COLUMNS, as_json=as_json)


@app.command()
def deliveries(
    webhook_id: WebhookId,
    *,
    limit: Annotated[
        int, typer.Option(help="How many of the newest are shown.", min=1, max=SHOWN_MAX)
    ] = SHOWN_DEFAULT,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """List what was sent to a webhook, the newest first, and how it went."""
    session = Session(database)
    found = session.read(lambda reader: list_deliveries(reader, webhook_id, turn(None, limit)))
    show_list(found.data, DELIVERY_COLUMNS, as_json=as_json)
