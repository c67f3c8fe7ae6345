"""Gold labels that arrive after the predictions: kept beside the log, joined to it, asked for next."""
