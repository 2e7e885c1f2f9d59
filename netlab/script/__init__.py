"""A lab as a shell script: what is configured in the kernel, as the commands that configure it again elsewhere."""
