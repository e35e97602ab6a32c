"""A priced API with Flask: Farebox admits each call, and charges it by its answer."""

from collections.abc import Iterator

from flask import Flask, abort, request

from farebox.embed.wsgi import FareboxMiddleware

CONTACTS = {
    "p1": {"email": "ada@example.com", "phone": "+49 30 5550100"},
    "p2": {"email": "grace@example.com"},
    "p3": {},
}
PRICES = {0: 0, 1: 15, 2: 30}  # by how much of a contact is known

app = Flask(__name__)
app.wsgi_app = FareboxMiddleware(
    app.wsgi_app,
    mount="/farebox",  # where customers read their usage
    exclude=["/health"],
)


@app.get("/health")
def health() -> dict[str, bool]:
    """Excluded: it needs no key and costs nothing."""
    return {"ok": True}


@app.post("/people/search")
def search() -> dict[str, object]:
    """Costs what its log type says."""
    return {"query": request.get_json()["query"], "people": list(CONTACTS)}


@app.post("/people/redeem")
def redeem() -> tuple[dict[str, object], dict[str, str]]:
    """Costs what was found. A failed call is free."""
    person = request.get_json()["person"]
    if person not in CONTACTS:
        abort(404, "Nobody has this id.")
    contact = CONTACTS[person]
    body = {"contact": contact, "for": request.environ["farebox"].key_id}
    return body, {"Farebox-Credits": str(PRICES[len(contact)])}


@app.post("/people/export")
def export() -> Iterator[str]:
    """No log type has this path, so the plan's `unmapped` decides: 403 unless told otherwise."""
    return (f"{person}\n" for person in CONTACTS)
