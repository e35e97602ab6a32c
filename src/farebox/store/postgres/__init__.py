"""The store on PostgreSQL: schema, named queries, and the Python that runs them."""
