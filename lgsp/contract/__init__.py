"""Reading contracts: OpenAPI and WSDL."""
