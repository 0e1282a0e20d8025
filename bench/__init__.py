"""Speed and faults, measured: `./dev bench NAME` and `./dev chaos NAME`."""
