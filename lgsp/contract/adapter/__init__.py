"""The folder of an external system: read, compiled for the engine, and checked."""
