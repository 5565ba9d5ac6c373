"""The management API: people with roles look at a hub and steer it."""
