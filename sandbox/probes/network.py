"""Attacks that reach for a network or for another process's socket.

All listeners are this machine's own, on loopback; nothing is ever sent elsewhere.
"""

from __future__ import annotations

import secrets
import socket
from typing import Any

from hubel.sandbox.probes.probe import Verdict, probe
from hubel.sandbox.probes.room import Room

_SEND = """
import socket
address = facts["address"]
with socket.socket(facts["family"], facts["kind"], facts["protocol"]) as sender:
    sender.settimeout(1)
    sender.connect(tuple(address) if isinstance(address, list) else address)
    sender.send(facts["token"].encode())
result = "sent"
"""

_OPEN = """
import socket
with socket.socket(facts["family"], facts["kind"], facts["protocol"]) as opened:
    opened.bind(tuple(facts["bind"]))
result = facts["opened"]
"""

_ASK_KERNEL = """
import socket, struct
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
    kernel.settimeout(1)
    kernel.bind((0, 0))
    RTM_GETLINK, REQUEST_DUMP = 18, 0x301
    kernel.send(struct.pack("=IHHIIBxHiII", 32, RTM_GETLINK, REQUEST_DUMP, 1, 0, 0, 0, 0, 0, 0))
    answer = kernel.recv(65536)
result = facts["opened"] if len(answer) > 16 else "no answer"
"""

_BY_PAIR = """
import socket
sent = []
pairs = [attempt(socket.socketpair, socket.AF_UNIX, kind)
         for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)]
for pair in pairs:
    if not isinstance(pair, str):
        for address in facts["addresses"]:
            sent.append(str(attempt(pair[0].sendto, facts["token"].encode(), address)))
            sent.append(str(attempt(pair[0].connect, address)))
result = sent
"""

_MPTCP = 262
_IPS = "a network, by which secrets go out and code comes in"


@probe("TCP to this machine", _IPS, bare=True)
def tcp(room: Room) -> Verdict:
    """To 127.0.0.1."""
    return _sent(room, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))


@probe("TCP to another address", _IPS, bare=True)
def tcp_elsewhere(room: Room) -> Verdict:
    """To 127.0.0.2, which only a network namespace or a filter tells from any other address."""
    return _sent(room, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.2", 0))


@probe("TCP over IPv6", _IPS, bare=True, depends="needs IPv6")
def tcp6(room: Room) -> Verdict:
    """To ::1."""
    return _sent(room, socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0))


@probe("UDP", _IPS, bare=True)
def udp(room: Room) -> Verdict:
    """To 127.0.0.1."""
    return _sent(room, socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))


@probe("MPTCP", _IPS, bare=True, depends="needs a kernel with MPTCP")
def mptcp(room: Room) -> Verdict:
    """Which filters of TCP ports overlook."""
    return _sent(room, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0), _MPTCP)


@probe("a Unix socket in a folder that it may read", "services of this machine", bare=True)
def unix_path(room: Room) -> Verdict:
    """Read-only mounts do not stop a connection."""
    return _sent(room, socket.AF_UNIX, socket.SOCK_STREAM, str(room.folder / "socket"))


@probe("an abstract Unix socket", "services of this machine", bare=True)
def unix_abstract(room: Room) -> Verdict:
    """Of no folder, and so of no mount."""
    return _sent(room, socket.AF_UNIX, socket.SOCK_STREAM, f"\0{room.tag}")


@probe("a datagram from one of a pair of sockets", "services of this machine", bare=True)
def unix_pair(room: Room) -> Verdict:
    """A pair needs no call of `socket`, and sends to other addresses as well."""
    token = secrets.token_hex(16)
    path, name = str(room.folder / "datagrams"), f"\0{room.tag}-datagrams"
    heard = []
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as two,
    ):
        one.bind(path)
        (room.folder / "datagrams").chmod(0o777)
        two.bind(name)
        tried = room.attack(_BY_PAIR, token=token, addresses=[path, name])
        for listener in (one, two):
            listener.settimeout(0.1)
            try:
                heard.append(listener.recv(100).decode() == token)
            except TimeoutError:
                heard.append(False)
    if any(heard):
        return Verdict(True, "the listener outside received the datagram")
    return Verdict(False, f"nothing arrived; {tried.end()}")


@probe("VSOCK", "the machine under this one", bare=True, depends="needs a kernel with VSOCK")
def vsock(room: Room) -> Verdict:
    """Opened and bound, never connected."""
    bind = [0xFFFFFFFF, 0xFFFFFFFF]
    return _opened(room, _OPEN, family=40, kind=socket.SOCK_STREAM, protocol=0, bind=bind)


@probe("netlink", "the kernel's network settings", bare=True)
def netlink(room: Room) -> Verdict:
    """Asks for the network interfaces."""
    return _opened(room, _ASK_KERNEL)


@probe("a raw packet socket", _IPS, bare=True, depends="needs the capability CAP_NET_RAW")
def packet(room: Room) -> Verdict:
    """Reads what passes on the wire."""
    return _opened(room, _OPEN, family=17, kind=socket.SOCK_RAW, protocol=0, bind=["lo", 0])


def _sent(
    room: Room, family: int, kind: int, address: tuple[str, int] | str, protocol: int = 0
) -> Verdict:
    """Whether what the attack sends reaches a listener of this machine."""
    token = secrets.token_hex(16)
    try:
        listener = socket.socket(family, kind)
        listener.bind(address)
    except OSError as error:
        return Verdict(False, f"there can be no listener here: {error}")
    with listener:
        if isinstance(address, str) and not address.startswith("\0"):
            (room.folder / "socket").chmod(0o777)
        listener.settimeout(0.2)
        if kind == socket.SOCK_STREAM:
            listener.listen(1)
        tried = room.attack(
            _SEND,
            token=token,
            family=int(family),
            kind=int(kind),
            protocol=protocol,
            address=listener.getsockname() if isinstance(address, tuple) else address,
        )
        try:
            if kind == socket.SOCK_STREAM:
                connection, _ = listener.accept()
                with connection:
                    heard = connection.recv(100).decode()
            else:
                heard = listener.recv(100).decode()
        except TimeoutError:
            return Verdict(False, f"the listener heard nothing; {tried.end()}")
    return Verdict(True, "the listener was reached" + (" and told" if heard == token else ""))


def _opened(room: Room, code: str, **facts: Any) -> Verdict:
    token = secrets.token_hex(4)
    tried = room.attack(code, opened=token, **facts)
    if tried.value == token:
        return Verdict(True, "the socket was opened and worked")
    return Verdict(False, f"no socket; {tried.end()}")
