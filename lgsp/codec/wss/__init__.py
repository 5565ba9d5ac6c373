"""WS-Security 1.1: Security headers read with suspicion, verified, and written."""
