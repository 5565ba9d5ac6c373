"""One file, one verb of an exchange; exchange.py puts them in order. No stage imports another."""
