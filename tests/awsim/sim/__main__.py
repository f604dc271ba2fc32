"""awsim: the emulated AWS on a loopback port."""

import argparse
import ipaddress
import os
import sys

from .state import seconds


def _loopback(text):
    if text != "localhost" and not ipaddress.ip_address(text).is_loopback:
        raise ValueError(text)
    return text


def _arguments():
    parser = argparse.ArgumentParser(prog="awsim", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="loopback only; always 127.0.0.1")
    parser.add_argument("--latency", type=seconds, default=0.0, help="before every answer, such as 20ms")
    parser.add_argument("--enforce-iam", action="store_true", help="callers may do what their policies allow")
    return parser.parse_args()


def main():
    arguments = _arguments()
    # moto reads its settings when it is imported.
    os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
    os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = str(1 << 30)
    from .app import App
    from .wire import Server

    try:
        server = Server(arguments.port, App(arguments.latency, arguments.enforce_iam).answer)
    except OSError as fault:
        sys.exit(f"awsim: port {arguments.port}: {fault.strerror}")
    print(f"awsim listening on http://127.0.0.1:{server.port}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
