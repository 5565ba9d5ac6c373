"""The tests of lgsp, laid out by what they need: nothing, a port's drivers, real sockets, a whole hub."""
