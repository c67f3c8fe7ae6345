"""Where the work runs: in this process, or shared out among several."""
