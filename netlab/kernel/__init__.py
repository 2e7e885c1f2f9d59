"""The only code that talks to the kernel's networking: netlink and nftables."""
