"""Runs the AWS emulator for programs and pages of this machine only, and no longer than the process that started it.

The emulator itself serves whoever reaches its port, runs functions as processes of its user, and lets every web page
read its answers. Its socket is bound to loopback, but a browser can be led to it: by a page of another site (hence
`Origin` and `Sec-Fetch-Site`), or by a name that is made to resolve to 127.0.0.1 (DNS rebinding, hence `Host`).
"""

import os
import re
import shutil
import signal
import sys
import threading

# Loopback addresses, names below .localhost (RFC 6761, 6.3), and those by which emulators tell Function URLs apart.
LOCAL_HOST = re.compile(
    r"(127(\.[0-9]{1,3}){3}|\[::1\]|([a-z0-9_-]+\.)*localhost(\.localstack\.cloud)?)(:[0-9]{1,5})?", re.IGNORECASE
)


def end_with_parent(folder):
    """Ends the process group and removes its folder when the pipe from the parent closes: even if that is killed."""
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def is_from_here(headers):
    """Whether a request names this machine, and, if a browser sends it, comes from a page of this machine."""
    values = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value.decode("latin-1"))
    hosts = values.get(b"host", [])
    origins = values.get(b"origin", [])
    if not hosts or not all(LOCAL_HOST.fullmatch(host) for host in hosts):
        return False
    if not all(LOCAL_HOST.fullmatch(re.sub("^https?://", "", origin)) for origin in origins):
        return False
    # A link or an image of another site sends no origin. A local page that sends one may use another local name.
    return bool(origins) or "cross-site" not in values.get(b"sec-fetch-site", [])


def guarded(app):
    """The ASGI application for whoever `is_from_here`; 403 for everybody else."""

    async def guard(scope, receive, send):
        if scope["type"] == "lifespan" or is_from_here(scope["headers"]):
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closed before it is accepted, a WebSocket is answered with 403.
            await send({"type": "websocket.close"})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"Only programs and pages of this machine may call.\n"})

    return guard


def telling_where_letters_come_from(run_batch):
    """Calls functions behind a queue as Lambda does: a dead letter says from which queue it was moved.

    The emulator knows it, and tells whoever receives the message, but not the function that gets it in a batch.
    """

    def run(mapping, function, event, messages, *rest):
        sources = {one["id"]: (one.get("sys") or {}).get("DeadLetterQueueSourceArn") for one in messages}
        for record in event["Records"]:
            source = sources.get(record["messageId"])
            if source is not None:
                record["attributes"]["DeadLetterQueueSourceArn"] = source
        return run_batch(mapping, function, event, messages, *rest)

    return run


if __name__ == "__main__":
    # Named by whoever made it, and no folder that anybody has anyway: started by hand, this must not remove a home.
    throw_away_folder = os.environ["AGENT_EVENT_BUS_EMULATOR_FOLDER"]
    threading.Thread(target=end_with_parent, args=(throw_away_folder,), daemon=True).start()
    # It takes most of a second, in which the parent may end.
    import ministack.app
    from ministack.services import lambda_svc

    lambda_svc._run_sqs_batch = telling_where_letters_come_from(lambda_svc._run_sqs_batch)
    ministack.app.app = guarded(ministack.app.app)
    ministack.app.main()
