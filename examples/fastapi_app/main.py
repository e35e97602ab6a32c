"""A priced API with FastAPI: Farebox admits each call, and charges it by its answer."""

from typing import Annotated

from fastapi import Body, FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from farebox import FareboxMiddleware

CONTACTS = {
    "p1": {"email": "ada@example.com", "phone": "+49 30 5550100"},
    "p2": {"email": "grace@example.com"},
    "p3": {},
}
PRICES = {0: 0, 1: 15, 2: 30}  # by how much of a contact is known

app = FastAPI(title="People")
app.add_middleware(
    FareboxMiddleware,
    mount="/farebox",  # where customers read their usage
    exclude=["/health", "/docs*", "/openapi.json"],
)


@app.get("/health")
async def health() -> dict[str, bool]:
    """Excluded: it needs no key and costs nothing."""
    return {"ok": True}


@app.post("/people/search")
async def search(query: Annotated[str, Body(embed=True)]) -> dict[str, object]:
    """Costs what its log type says."""
    return {"query": query, "people": list(CONTACTS)}


@app.post("/people/redeem")
async def redeem(
    person: Annotated[str, Body(embed=True)], request: Request, response: Response
) -> dict[str, object]:
    """Costs what was found. A failed call is free."""
    if person not in CONTACTS:
        raise HTTPException(404, "Nobody has this id.")
    contact = CONTACTS[person]
    response.headers["Farebox-Credits"] = str(PRICES[len(contact)])
    return {"contact": contact, "for": request.scope["farebox"].key_id}


@app.post("/people/export")
async def export() -> StreamingResponse:
    """No log type has this path, so the plan's `unmapped` decides: 403 unless told otherwise."""
    return StreamingResponse(f"{person}\n" for person in CONTACTS)
