"""A priced API with Django, in one file: Farebox admits each call, and charges it by its answer."""

import json

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import path

from farebox.embed.wsgi import FareboxMiddleware

CONTACTS = {
    "p1": {"email": "ada@example.com", "phone": "+49 30 5550100"},
    "p2": {"email": "grace@example.com"},
    "p3": {},
}
PRICES = {0: 0, 1: 15, 2: 30}  # by how much of a contact is known

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True)


def health(_: HttpRequest) -> JsonResponse:
    """Excluded: it needs no key and costs nothing."""
    return JsonResponse({"ok": True})


def search(request: HttpRequest) -> JsonResponse:
    """Costs what its log type says."""
    return JsonResponse({"query": json.loads(request.body)["query"], "people": list(CONTACTS)})


def redeem(request: HttpRequest) -> JsonResponse:
    """Costs what was found. A failed call is free."""
    person = json.loads(request.body)["person"]
    if person not in CONTACTS:
        return JsonResponse({"detail": "Nobody has this id."}, status=404)
    contact = CONTACTS[person]
    response = JsonResponse({"contact": contact, "for": request.environ["farebox"].key_id})
    response["Farebox-Credits"] = PRICES[len(contact)]
    return response


def export(_: HttpRequest) -> StreamingHttpResponse:
    """No log type has this path, so the plan's `unmapped` decides: 403 unless told otherwise."""
    return StreamingHttpResponse(f"{person}\n" for person in CONTACTS)


urlpatterns = [
    path("health", health),
    path("people/search", search),
    path("people/redeem", redeem),
    path("people/export", export),
]

application = FareboxMiddleware(
    get_wsgi_application(),
    mount="/farebox",  # where customers read their usage
    exclude=["/health"],
)
