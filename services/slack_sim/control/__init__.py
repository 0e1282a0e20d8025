"""The control API: act as people, look, wait, set time and limits, and make things go wrong. And a client for it."""
