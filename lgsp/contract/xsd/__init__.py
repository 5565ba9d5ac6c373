"""XML Schema 1.0: types and facets, compiled to the tables that the codec speaks from."""
