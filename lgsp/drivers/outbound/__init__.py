"""How the hub speaks to providers: one pool for each, declared authentication, and one judgement of answers for each binding."""
