"""REST: routes, schemas and trainer dialects."""
