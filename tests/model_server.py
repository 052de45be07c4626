"""A real model server, llama.cpp's, with random weights; and one that plays a script.

    with model_server(folder) as address:  # http://127.0.0.1:PORT, its key is KEY
        ...

The model says nonsense in real HTTP. `model_server.py FILE` is the program; it prints its address.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = "sk-local-0123456789"
_EMBEDDING, _LAYERS, _HEADS, _INNER, _CONTEXT = 64, 2, 4, 128, 2048


@contextlib.contextmanager
def model_server(folder: Path) -> Iterator[str]:
    """Start the server in a process of its own; give its address."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder / "tiny.gguf")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next((line for line in process.stdout if line.startswith("http")), "")
        assert address, "the model server did not start"
        yield address.strip()
    finally:
        process.kill()
        process.communicate()


class Scripted:
    """Answers each request with the next (status, headers, body) of a script; keeps what came.

    A status of 0 hangs up in the middle of the answer.
    """

    def __init__(self, *answers: tuple[int, dict[str, str], Any]) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                headers = {name.lower(): value for name, value in self.headers.items()}
                scripted.requests.append((self.path, headers, body))
                self._answer(*scripted.answers.pop(0))

            def _answer(self, status: int, headers: dict[str, str], body: Any) -> None:  # noqa: ANN401
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status or 200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data) + (not status)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _write(path: str) -> None:
    """Write a model of the llama kind, of random weights, that speaks in single bytes."""
    import gguf
    import numpy as np

    random = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:  # noqa: ANN401  numpy's
        return (random.standard_normal(shape) * 0.05).astype(np.float32)

    ones = np.ones(_EMBEDDING, np.float32)
    tokens = [b"<unk>", b"<s>", b"</s>", *[f"<0x{byte:02X}>".encode() for byte in range(256)]]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_EMBEDDING)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_EMBEDDING // _HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([2, 3, 3, *[6] * 256])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    tensors = {
        "token_embd": drawn(len(tokens), _EMBEDDING),
        "output_norm": ones,
        "output": drawn(len(tokens), _EMBEDDING),
    }
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        tensors |= {f"{block}attn_norm": ones, f"{block}ffn_norm": ones}
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{block}{name}"] = drawn(_EMBEDDING, _EMBEDDING)
        tensors[f"{block}ffn_gate"] = drawn(_INNER, _EMBEDDING)
        tensors[f"{block}ffn_up"] = drawn(_INNER, _EMBEDDING)
        tensors[f"{block}ffn_down"] = drawn(_EMBEDDING, _INNER)
    for name, tensor in tensors.items():
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _serve(path: str) -> None:
    import socket

    import xllamacpp

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_ctx = _CONTEXT
    parameters.n_parallel = 2
    parameters.warmup = False
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.api_keys = [KEY]
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)  # noqa: T201  how it tells its address
    threading.Event().wait()


if __name__ == "__main__":
    _write(sys.argv[1])
    _serve(sys.argv[1])
