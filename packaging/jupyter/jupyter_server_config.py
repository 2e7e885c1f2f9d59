# ruff: noqa: INP001 - a settings file that the server executes, no module of a package
"""Settings of the notebook server; those of JupyterLab are beside it, in JSON."""

from pathlib import Path

c = get_config()  # noqa: F821 - the server gives it
c.KernelManager.transport_encryption = "auto"
c.ServerApp.tornado_settings = {
    # No keep-alive: the page is on this machine. (Server and Tornado disagree on the time that a ping may take: with a time
    # that Tornado accepts, the server ends every connection at its first ping, and messages on their way are lost.)
    "ws_ping_interval": 0,
    # Where JupyterLab finds custom.css; there is no option of its own for that.
    "static_custom_path": [str(Path(__file__).parent / "custom")],
}
