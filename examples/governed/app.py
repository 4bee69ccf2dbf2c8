"""News whose readers are many and whose application is small: Flask says who may read, Signalbox holds the lines.

    python3 app.py          then the same with signalbox before it: README.md
"""

import os

import redis
from flask import Flask, Response, abort, request, session
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY") or os.urandom(32)
# Signalbox is the one proxy before this application, and says who asks.
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)
broker = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))

TOPICS = {"sport", "weather"}
PREFIX = os.environ.get("CHANNEL_PREFIX", "news:")
latest = {}

PAGE = """<!doctype html><meta charset="utf-8"><title>News</title>
<form method="post" action="/login"><button>Log in</button></form>
<form method="post" action="/news/sport"><input name="text"><button>Publish</button></form>
<ul></ul>
<script>
  new EventSource("/news/sport").onmessage = ({ data }) => {
    document.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: data }));
  };
</script>"""


@app.get("/")
def page():
    return PAGE


@app.post("/login")
def login():
    session["reader"] = True
    return Response(status=303, headers={"Location": "/"})


@app.get("/news/<topic>")
def read(topic):
    """An answer like any other, but for one header: with it Signalbox takes the reader over."""
    topic in TOPICS or abort(404)
    session.get("reader") or abort(403)
    first = f"data: {latest[topic]}\n\n" if topic in latest else ""
    return Response(first, content_type="text/event-stream", headers={"X-SSE-Channel": PREFIX + topic})


@app.post("/news/<topic>")
def publish(topic):
    """Every reader has it, whichever process took him, and however many there are."""
    topic in TOPICS or abort(404)
    session.get("reader") or abort(403)
    latest[topic] = " ".join(request.form["text"].split())
    broker.publish(PREFIX + topic, latest[topic])
    return Response(status=303, headers={"Location": "/"})


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "5000")))
