"""Language models of providers, as pydantic-ai asks them."""
