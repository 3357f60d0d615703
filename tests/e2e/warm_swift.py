"""`swift` for slow tests that run it many times: ms-swift is imported once, and every command runs in a fork of that.

    python -m tests.e2e.warm_swift SOCKET            # serves until its standard input ends
    python tests/e2e/warm_swift.py SOCKET sft ...    # what a stand-in for swift calls: `swift sft ...` in the server

The fork has the caller's environment, folder and output, and calls the function that the stock command calls. What
differs is the start: where a launcher is asked for, the fork is the first of its processes, and forks the others.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

MAINS = {"sft": "sft_main", "rlhf": "rlhf_main", "infer": "infer_main", "export": "export_main"}


PRELOADED = (
    *("swift.pipelines.train.rlhf", "swift.pipelines.infer.infer", "swift.trainers.seq2seq_trainer"),
    *("swift.rlhf_trainers.grpo_trainer", "deepspeed", "transformers.tokenization_mistral_common"),
    *("swift_plugins.fakexplain.diagnostics", "swift_plugins.fakexplain.rewards"),
)
"""What the commands import sooner or later, over half of their time."""


def ask(path: str, argv: list[str]) -> int:
    """Run a command in the server, with this process's environment, folder and output; return its exit code."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        request = json.dumps({"argv": argv, "env": dict(os.environ), "cwd": str(Path.cwd())}).encode()
        socket.send_fds(client, [len(request).to_bytes(8, "big")], [1, 2])
        client.sendall(request)
        return int(client.recv(16) or 1)


def serve(path: str) -> None:
    """Import ms-swift, then answer requests until the standard input ends."""
    import select

    for name in PRELOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([server, sys.stdin], [], [])
            if sys.stdin in readable:
                return
            client, _ = server.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                _run(client)
            client.close()


def _launch(processes: int) -> list[int] | None:
    """Set the variables that torchrun sets, and fork the further processes.

    Returns:
        Their ids; None in one of them.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        os.environ.update({"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])})
    os.environ.update(dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(processes)))
    started = []
    for rank in [*range(1, processes), 0]:
        os.environ.update(dict.fromkeys(("RANK", "LOCAL_RANK"), str(rank)))
        if rank:
            pid = os.fork()
            if pid == 0:
                return None
            started.append(pid)
    return started


def _end_with(client: socket.socket) -> None:
    """Kill this process when the caller is gone, as an interrupt of the caller would have."""
    client.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _run(client: socket.socket) -> None:
    """Run one request in this process, and end it."""
    length, fds, _, _ = socket.recv_fds(client, 8, 2)
    size, request = int.from_bytes(length, "big"), b""
    while len(request) < size:
        request += client.recv(2**16)
    asked = json.loads(request)
    for fd, ours in zip(fds, (1, 2), strict=True):
        os.dup2(fd, ours)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    processes = os.environ.pop("NPROC_PER_NODE", None)
    others = _launch(int(processes)) if processes else []
    if others is not None:
        threading.Thread(target=_end_with, args=(client,), daemon=True).start()
    command, *argv = asked["argv"]
    sys.argv = ["swift", *argv]
    sys.path[:0] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    code = 1
    try:
        import swift.pipelines

        getattr(swift.pipelines, MAINS[command])(argv)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    if others is not None:
        for pid in others:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) or code
        client.sendall(str(code).encode())
    os._exit(code)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
    serve(sys.argv[1])
