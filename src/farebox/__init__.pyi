from farebox.client import AsyncClient as AsyncClient
from farebox.client import Client as Client

__version__: str
