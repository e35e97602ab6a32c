from farebox.client import AsyncClient as AsyncClient
from farebox.client import Client as Client
from farebox.embed.asgi import FareboxMiddleware as FareboxMiddleware

__version__: str
