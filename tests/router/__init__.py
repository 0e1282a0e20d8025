"""The router in processes of its own, with a broker and a directory."""
