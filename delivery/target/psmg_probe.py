"""Measures the way to the gateways of neighbour regions, from the host whose proxy sends requests there. Used through
psmg_target.py; reads and writes nothing on the host.

Each try opens a connection as the proxy does, with its certificates where the mesh has them, and asks the gateway for
the health of one service. What was lost on the way must not count as latency: a try without an answer in time is
"lost", and one whose segments the kernel had to send again says so.
"""
from __future__ import annotations

import errno
import http.client
import random
import socket
import ssl
import struct
import threading
import time

MOST_TRIES = 100
MOST_DESTINATIONS = 100
MOST_SECONDS = 60
LARGEST_BODY = 65536
# Of struct tcp_info in Linux: tcpi_total_retrans, the initial SYN included.
RETRANSMITS_AT = 100
WRONG_FAMILY = (errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class Failed(Exception):
    """One try without an answer; `what` is of a closed list."""

    def __init__(self, what: str, message: str):
        super().__init__(message)
        self.what = what


def failure_of(error: Exception) -> Failed:
    # ssl.SSLError and the time-outs are OSErrors: the order matters.
    if isinstance(error, (TimeoutError, socket.timeout)) or getattr(error, "errno", None) == errno.ETIMEDOUT:
        what = "lost"
    elif isinstance(error, ConnectionRefusedError):
        what = "refused"
    elif isinstance(error, (ConnectionError, ssl.SSLEOFError)):
        what = "closed"
    elif isinstance(error, ssl.SSLError):
        what = "tls"
    elif isinstance(error, http.client.HTTPException):
        what = "no-http"
    else:
        what = "unreachable"
    return Failed(what, str(error) or type(error).__name__)


def milliseconds(since: float) -> float:
    return round((time.perf_counter() - since) * 1000, 3)


def was_retransmitted(connection: socket.socket):
    """Whether the kernel sent anything of this connection again; None where it does not tell."""
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RETRANSMITS_AT + 4)
        return struct.unpack_from("=I", told, RETRANSMITS_AT)[0] > 0
    except (AttributeError, OSError, struct.error):
        return None


class Destination:
    """One gateway; resolved once, so that no name server is part of what is measured."""

    def __init__(self, request: dict, timeout_seconds: float):
        self.request, self.timeout_seconds = request, timeout_seconds
        self.tries: list = []
        self.addresses: list = []
        self.tls = None

    def prepare(self) -> None:
        found = socket.getaddrinfo(self.request["address"], self.request["port"], type=socket.SOCK_STREAM)
        self.addresses = [(family, address) for family, _, _, _, address in found]
        files = self.request.get("tls")
        if files is not None:
            # As the proxy: any certificate that the mesh's authority signed, whatever name is in it.
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.tls.check_hostname = False
            self.tls.load_verify_locations(files["caFile"])
            self.tls.load_cert_chain(files["certificateFile"], files["privateKeyFile"])

    def connected(self) -> socket.socket:
        while True:
            family, address = self.addresses[0]
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.settimeout(self.timeout_seconds)
            try:
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
            except OSError as error:
                connection.close()
                if error.errno not in WRONG_FAMILY or len(self.addresses) == 1:
                    raise
                self.addresses.pop(0)

    def attempt(self) -> dict:
        connection = None
        try:
            begun = time.perf_counter()
            connection = self.connected()
            answer = {"connectMs": milliseconds(begun), "retransmitted": was_retransmitted(connection)}
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_hostname=self.request["service"])
            if self.request.get("path") is not None:
                answer.update(self.ask(connection))
            return answer
        except (OSError, http.client.HTTPException) as error:
            raise failure_of(error) from None
        finally:
            if connection is not None:
                connection.close()

    def ask(self, connection: socket.socket) -> dict:
        client = http.client.HTTPConnection("gateway")
        client.sock = connection
        begun = time.perf_counter()
        client.request("GET", self.request["path"], headers={
            "Host": self.request["service"], "User-Agent": "psmg-probe", "Connection": "close"})
        response = client.getresponse()
        # Before the body is read: with its end the connection is closed.
        retransmitted = was_retransmitted(connection)
        found = {"answerMs": milliseconds(begun), "status": response.status, "retransmitted": retransmitted}
        served = response.getheader("x-envoy-upstream-service-time", "")
        if served.isascii() and served.isdigit():
            found["serviceMs"] = int(served)
        response.read(LARGEST_BODY)
        return found

    def run(self, tries: int, spacing_seconds: float) -> None:
        try:
            self.prepare()
        except (OSError, ValueError) as error:
            what = "unresolved" if isinstance(error, socket.gaierror) else "tls"
            failed = {"failure": what, "message": str(error)}
            self.tries.extend([failed] * tries)
            return
        for index in range(tries):
            if index > 0:
                # Not in step with anything that happens at a fixed beat there.
                time.sleep(spacing_seconds * random.uniform(0.5, 1.5))
            try:
                self.tries.append(self.attempt())
            except Failed as failed:
                self.tries.append({"failure": failed.what, "message": str(failed)[:300]})


def number_in(request: dict, name: str, least: float, most: float) -> float:
    value = request[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}, which is not a number from {least} to {most}")
    return value


def run(request: dict) -> dict:
    """Tries by name of the destination. All destinations at once, and no longer than MOST_SECONDS altogether."""
    tries = int(number_in(request, "tries", 1, MOST_TRIES))
    spacing_seconds = number_in(request, "spacingMs", 0, 10_000) / 1000
    timeout_seconds = number_in(request, "timeoutMs", 1, 30_000) / 1000
    if not 0 < len(request["destinations"]) <= MOST_DESTINATIONS:
        raise ValueError(f"between 1 and {MOST_DESTINATIONS} destinations can be probed at once")
    destinations = [Destination(one, timeout_seconds) for one in request["destinations"]]
    deadline = time.monotonic() + MOST_SECONDS
    threads = [threading.Thread(target=one.run, args=(tries, spacing_seconds), daemon=True) for one in destinations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    # What was not begun in time says nothing about the way: it is left out, not lost.
    return {"outcome": "probed", "destinations": {one.request["name"]: list(one.tries) for one in destinations}}
