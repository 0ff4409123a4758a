"""hits.py HOST PORT N: fetch "/" N times, one TCP connection each; print name=count of the bodies.

NONE counts requests without an answer within two seconds, REFUSED those that were refused.
One process for all requests: in an emulated machine a process start costs more than a request.
"""
import collections
import socket
import sys


def fetch(host, port):
    with socket.create_connection((host, port), timeout=2) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while part := s.recv(4096):
            answer += part
    return answer.split(b"\r\n\r\n", 1)[1].decode().strip() or "EMPTY"


def main(host, port, requests):
    count = collections.Counter()
    for _ in range(requests):
        try:
            count[fetch(host, port)] += 1
        except ConnectionRefusedError:
            count["REFUSED"] += 1
        except (OSError, IndexError):
            count["NONE"] += 1
    print(" ".join(f"{body}={n}" for body, n in sorted(count.items())))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
