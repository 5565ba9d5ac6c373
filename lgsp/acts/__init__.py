"""What people do to a hub: one file for each verb or small group; plain functions over ports.Office, every act with its author."""
