"""Programs that run inside the lab as processes of their own."""
