"""The fictional customer messages that the demonstration runs on."""
