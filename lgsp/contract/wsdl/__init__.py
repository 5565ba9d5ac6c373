"""WSDL 1.1: its documents, bindings and operations, compiled for the codec and published."""
