"""Network drivers: pure policy. A specification goes in, operations come out; nothing here touches the kernel."""
