"""`python -m sandbox --port N --webhook URL [--secret S] [--data FOLDER]`"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from werkzeug.serving import make_server

from sandbox.server import create_sandbox


def main() -> None:
    options = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--webhook", required=True, help="where signed events are sent")
    options.add_argument(
        "--secret",
        default=os.environ.get("STRIPE_WEBHOOK_SECRET"),
        help="signs the events; STRIPE_WEBHOOK_SECRET if not given",
    )
    options.add_argument("--data", type=Path, help="folder to remember in; DATA_DIR/sandbox")
    given = options.parse_args()
    if not given.secret:
        options.error("a secret is needed: --secret or STRIPE_WEBHOOK_SECRET")
    folder = given.data
    if folder is None and os.environ.get("DATA_DIR"):
        folder = Path(os.environ["DATA_DIR"]) / "sandbox"
    app = create_sandbox(
        f"http://127.0.0.1:{given.port}",
        [(given.webhook, given.secret)],
        folder / "state.json" if folder else None,
    )
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    make_server("127.0.0.1", given.port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
