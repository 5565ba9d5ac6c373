"""Inbound HTTP: doors only parse and answer; what happens to a message is in lgsp/exchange.py."""
