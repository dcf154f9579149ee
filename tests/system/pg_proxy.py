"""Stands between a worker and PostgreSQL, and cuts a connection where a test wants it cut.

    with PgProxy(cluster, cut) as proxy:   `cut(types, last)` is asked at each message of the server's
        Worker(proxy.url(database))

`types` are the messages since the last one that said the server is ready, by their letters ("CCDDC"), `last`
is the message that comes now, letter and body. True: it is not delivered any more, and the connection ends.
"""

import pathlib
import shutil
import socket
import tempfile
import threading


class PgProxy:
    def __init__(self, cluster, cut):
        self.cluster, self.cut = cluster, cut
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.dir / f".s.PGSQL.{cluster.port}"))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database):
        return self.cluster.url(database).replace(str(self.cluster.host), str(self.dir))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        shutil.rmtree(self.dir)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{self.cluster.host}/.s.PGSQL.{self.cluster.port}")
            threading.Thread(target=self._copy, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _answer(self, server, client):
        data, types = b"", ""
        try:
            while more := server.recv(65536):
                data += more
                while len(data) >= 5 and len(data) > (size := int.from_bytes(data[1:5], "big")):
                    message, data = data[:size + 1], data[size + 1:]
                    letter = chr(message[0])
                    if self.cut(types, letter + message[5:].decode("latin-1")):
                        raise OSError("cut")
                    types = "" if letter == "Z" else types + letter
                    client.sendall(message)
        except OSError:
            pass
        for end in (server, client):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
