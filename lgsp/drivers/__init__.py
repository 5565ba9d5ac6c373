"""The hands of the hub: one file or folder is one outside thing, and none imports another."""
