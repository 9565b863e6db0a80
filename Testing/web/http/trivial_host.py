"""A trame server with one line of text behind the HTTP layer: python trivial_host.py <folder> [limits as JSON]."""

import json
import logging
import os
import sys
from pathlib import Path

from DiffuFuseMedLib.web.http import Binding, Limits, Uploads, install, start_arguments
from trame.app import get_server
from trame.ui.html import DivLayout
from trame.widgets import client, html

logging.basicConfig(level=logging.INFO)
server = get_server(client_type="vue3")
binding = Binding()
uploads = Uploads(Path(sys.argv[1]), Limits(**json.loads(sys.argv[2])))
http_layer = install(server, binding, uploads)
http_layer.tabs.wait_s = float(os.environ.get("TAB_WAIT_S", http_layer.tabs.wait_s))
server.state.count = 0


def offer():
    path = http_layer.downloads.new_path("scene of today.mrb")
    path.write_bytes(b"scene")
    server.state.offered = http_layer.downloads.offer(path, path.name)


with DivLayout(server):
    client.Style("p { font-weight: bold; }")
    client.Script("window.scripted = true;")
    html.P("The workspace, {{ count }} times", id="workspace")
    html.Button("More", click="count += 1", id="more")
    html.A("Save", href=("offered",), download=True, id="download")

server.state.offered = ""
server.state.change("count")(lambda **_: offer())
server.controller.on_server_ready.add(lambda **_: sys.stdout.write(f"{binding.address}\n"))
sys.stdout.reconfigure(line_buffering=True)
server.start(**start_arguments(binding))
