"""SOAP 1.1 and 1.2 from tables: values to envelopes and back, judged by the contract's XML schema."""
