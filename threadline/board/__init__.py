"""The status board of `threadline up`: what is gathered, what is shown of it, and the terminal."""
