"""The store on SQLite: schema, named queries, and the thin Python that runs them."""
