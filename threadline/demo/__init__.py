"""`threadline demo`: a scripted conversation, each claim of which is checked."""
