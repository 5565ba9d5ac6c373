"""Evidence: what happened, as salted leaves in one Merkle tree (RFC 9162); pure. `verifier.py` also runs alone, without the hub."""
