"""What the router decides: values in, values out."""
