"""What is done to a log as a whole: old files removed, bad lines moved out, people forgotten."""
