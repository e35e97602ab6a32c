"""Parameters: the values of a request outside its body. Each name means one thing everywhere."""

from __future__ import annotations

from typing import Literal, NamedTuple

from farebox.contract.texts import LANGUAGES


class Parameter(NamedTuple):
    """A value in the path or in a header: its JSON Schema type, format and bound, and an example.

    One with a bound isn't empty either.
    """

    name: str
    description: str
    example: str | int
    type_name: Literal["string", "integer"] = "string"
    format_name: str | None = None
    choices: tuple[str, ...] = ()
    length_max: int | None = None


# The one that takes slashes, too.
ORIGINAL_PATH = "original_path"

# Every `{name}` that may stand in an operation's path.
PATH_PARAMETERS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("lang", "The language of the texts.", "en", choices=LANGUAGES),
        Parameter("page", "Name of the page.", "getting-started"),
        Parameter("file", "Name of the file.", "docs.css"),
        Parameter("profile_id", "Id of the workspace.", 1, type_name="integer"),
        Parameter("key_id", "Id of the API key.", "key_5hZ0c2rWq8Lm"),
        Parameter(
            "user_id",
            "Id of the user, a UUID.",
            "0192f3c4-7a5b-4d1e-8f20-3b6c9d2e4a71",
            format_name="uuid",
        ),
        Parameter("slug", "The slug.", "people_search"),
        Parameter("webhook_id", "Id of the webhook.", "whk_5hZ0c2rWq8Lm"),
        Parameter("alert_id", "Id of the alert.", "alr_5hZ0c2rWq8Lm"),
        Parameter("token_id", "Id of the token.", "tok_5hZ0c2rWq8Lm"),
        Parameter(ORIGINAL_PATH, "The path of the request that is asked about.", "people/search"),
    )
}

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "Optional. The same key with the same body returns the first answer; nothing is done twice.",
    "7f1d2a54-0c1e-4f5a-9a51-9b1f0c3d8e22",
    length_max=255,
)
