"""The Web API: what a call says, whether it may, and what it does."""
