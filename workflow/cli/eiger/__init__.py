"""The commands that call one operation of the cloud each."""
