"""Rules by libnftables, the library behind `nft`: ten times as fast as starting the program.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from netlab.sandbox.wire import memory_file

_LIBRARY = "libnftables.so.1"
_HANDLES_AND_NUMBERS = (1 << 3) | (1 << 8)  # NFT_CTX_OUTPUT_HANDLE, NFT_CTX_OUTPUT_NUMERIC_PRIO (libnftables(3))


@cache
def _library() -> Any:
    library = ctypes.CDLL(_LIBRARY)
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
        getattr(library, name).restype = ctypes.c_char_p
    return library


def load() -> bool:
    """Load the library; False where it is not installed."""
    try:
        _library()
    except OSError:
        return False
    return True


def run(script: bytes) -> tuple[dict[str, Any], list[int]]:
    """Run a script in nft's language in this process's network namespace; return its status, and output and complaint as files.

    Meant for a process of its own that ends soon: nothing is freed.
    """
    library = _library()
    context = library.nft_ctx_new(0)
    library.nft_ctx_buffer_output(context)
    library.nft_ctx_buffer_error(context)
    library.nft_ctx_output_set_flags(context, _HANDLES_AND_NUMBERS)
    status = library.nft_run_cmd_from_buffer(context, script)
    output: bytes = library.nft_ctx_get_output_buffer(context)
    complaint: bytes = library.nft_ctx_get_error_buffer(context)
    return {"status": status}, [memory_file(output), memory_file(complaint)]
