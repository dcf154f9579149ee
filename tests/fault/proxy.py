"""A TCP proxy in front of PostgreSQL that can cut, go silent, and swallow the answer to one statement.

    proxy = Proxy("127.0.0.1", port)      listens on proxy.port
    proxy.swallow("COMMIT")               the next answer to a prepared statement whose text contains this is
                                          kept back; proxy.swallowed is set when the server has given it
    proxy.silence(), proxy.open()         nothing passes either way; everything does again
    proxy.cut()                           closes every connection

Of the protocol it reads as much as it must, in the client's direction: the type and length of each message,
and which name a statement's text got when it was prepared. No TLS.
"""

import socket
import struct
import threading


class Proxy:
    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.passing = threading.Event()
        self.passing.set()
        self.swallowed = threading.Event()
        self.wanted = None
        self.lock = threading.Lock()
        self.links = []
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self, text):
        self.swallowed.clear()
        self.wanted = text.encode()

    def silence(self):
        self.passing.clear()

    def open(self):
        self.passing.set()

    def cut(self):
        with self.lock:
            links, self.links = self.links, []
        for link in links:
            link.close()

    def close(self):
        # accept() would hold the socket open past close().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        self.open()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                link = Link(self, client, socket.create_connection(self.target))
            except OSError:
                client.close()  # the server is away
                continue
            with self.lock:
                self.links.append(link)
            link.start()


class Link:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.swallowing = False
        self.buffer = b""
        self.greeted = False  # the first message of a connection has no type
        self.texts = {}       # name of a prepared statement -> its text

    def start(self):
        for work in (self._to_server, self._to_client):
            threading.Thread(target=work, daemon=True).start()

    def close(self):
        for each in (self.client, self.server):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # closed by the other side already
            each.close()

    def _to_server(self):
        self._carry(self.client, self.server, self._look)

    def _to_client(self):
        self._carry(self.server, self.client, self._keep_back)

    def _carry(self, source, target, look):
        try:
            while data := source.recv(65536):
                self.proxy.passing.wait()
                data = look(data)
                if data:
                    target.sendall(data)
        except OSError:
            pass
        self.close()

    def _look(self, data):
        self.buffer += data
        head = 1 if self.greeted else 0
        while len(self.buffer) >= head + 4:
            size = head + struct.unpack_from("!I", self.buffer, head)[0]
            if len(self.buffer) < size:
                break
            message, self.buffer = self.buffer[:size], self.buffer[size:]
            if self.greeted:
                self._message(message[:1], message[5:])
            self.greeted, head = True, 1
        return data

    def _message(self, kind, body):
        if kind == b"P":    # Parse: name, text
            name, text = body.split(b"\0")[:2]
            self.texts[name] = text
        elif kind == b"B":  # Bind: portal, name
            text = self.texts.get(body.split(b"\0")[1], b"")
            if self.proxy.wanted and self.proxy.wanted in text:
                self.proxy.wanted = None
                self.swallowing = True

    def _keep_back(self, data):
        if not self.swallowing:
            return data
        self.proxy.swallowed.set()
        return None
