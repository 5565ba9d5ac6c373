"""One contract, two tongues: a WSDL becomes an OpenAPI contract and the other way round, and what would be lost between them is told."""
