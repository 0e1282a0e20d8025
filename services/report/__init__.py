"""Reports: what a stretch of the log says about runs, stops, reactions and limits."""
