"""Prints the transaction that installs the rule, written from the kernel's headers and not from the Rust code.

python3 nftables-golden.py cbr0 > nftables-cbr0.hex; python3 nftables-golden.py cali+ > nftables-cali.hex
"""
import socket
import struct
import sys


def attr(kind, value, nested=False):
    size = 4 + len(value)
    return struct.pack("=HH", size, kind | (0x8000 if nested else 0)) + value + b"\0" * (-size % 4)


def nest(kind, *inner):
    return attr(kind, b"".join(inner), True)


def be(value):
    return struct.pack(">I", value)


def zero(text):
    return text.encode() + b"\0"


def message(sequence, kind, flags, family, subject, body):
    payload = struct.pack("=BB", family, 0) + struct.pack(">H", subject) + body
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 0) + payload


def expression(name, *data):
    return nest(1, attr(1, zero(name)), nest(2, *data))


def equal(value):
    return expression("cmp", attr(1, be(1)), attr(2, be(0)), nest(3, attr(1, value)))


def main(interface):
    name = interface[:-1].encode() if interface.endswith("+") else interface.encode().ljust(16, b"\0")
    table, chain = attr(1, zero("rolecall")), zero("intercept")
    expressions = [
        expression("meta", attr(1, be(1)), attr(2, be(6))),
        equal(name),
        expression("payload", attr(1, be(1)), attr(2, be(1)), attr(3, be(16)), attr(4, be(4))),
        equal(socket.inet_aton("169.254.169.254")),
        expression("meta", attr(1, be(1)), attr(2, be(16))),
        equal(b"\x06"),
        expression("payload", attr(1, be(1)), attr(2, be(2)), attr(3, be(2)), attr(4, be(2))),
        equal(struct.pack(">H", 80)),
        expression("immediate", attr(1, be(1)), nest(2, attr(1, socket.inet_aton("10.0.0.1")))),
        expression("immediate", attr(1, be(2)), nest(2, attr(1, struct.pack(">H", 8181)))),
        expression("nat", attr(1, be(1)), attr(2, be(2)), attr(3, be(1)), attr(5, be(2))),
    ]
    hook = nest(4, attr(1, be(0)), attr(2, struct.pack(">i", -100)))
    request, ack, create, append = 0x1, 0x4, 0x400, 0x800
    batch = [
        message(0, 16, request, 0, 10, b""),
        message(1, 0xA00, request | ack | create, 2, 0, table),
        message(2, 0xA02, request | ack, 2, 0, table),
        message(3, 0xA00, request | ack | create, 2, 0, table),
        message(4, 0xA03, request | ack | create, 2, 0, table + attr(3, chain) + hook + attr(7, zero("nat"))),
        message(5, 0xA06, request | ack | create | append, 2, 0, table + attr(2, chain) + nest(4, *expressions)),
        message(6, 17, request, 0, 10, b""),
    ]
    print(b"".join(batch).hex())


main(sys.argv[1])
