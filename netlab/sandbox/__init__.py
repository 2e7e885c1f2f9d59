"""The rootless sandbox that holds a lab: namespaces of its own, and an agent inside them as process 1."""
