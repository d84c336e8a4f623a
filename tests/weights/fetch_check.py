"""scripts/fetch_weights against a server of this machine that ends the first answer half-way.

fetch_check.py SCRIPT FOLDER"""
import hashlib
import http.server
import importlib.machinery
import importlib.util
import os
import sys
import threading

script, folder = sys.argv[1:]
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("fetch_weights", script)
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch_weights", loader))
loader.exec_module(module)

content = bytes(range(256)) * 4096
name = "small-" + hashlib.sha256(content).hexdigest()[:8] + ".pth"
asked = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        asked.append(wanted)
        if self.path != "/" + name:
            self.send_error(404)
            return
        first = int(wanted[6:-1]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first:] if wanted else content[:300000])

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/"

module.fetch(address + name, folder, tries=2)
assert asked == [None, "bytes=300000-"], asked
assert os.listdir(folder) == [name], os.listdir(folder)
with open(os.path.join(folder, name), "rb") as file:
    assert file.read() == content
module.fetch(address + name, folder, tries=1)
assert len(asked) == 2, "what is there is not fetched again"
try:
    module.fetch(address + "other-00000000.pth", folder, tries=3)
    raise SystemExit("a file that the server has not was no error")
except module.Refused as error:
    assert "404" in str(error), error
assert len(asked) == 3, "a 404 is not tried again"
print("resumed")
