"""The one definition of the routes, and what is made from it: schemas, documents and texts."""
