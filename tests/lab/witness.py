"""witness.py COMMAND...: run a command in this network namespace and say what it wrote.

Netlink is seen by the kernel's own tap (an nlmon device), files by strace: not by what the program says.
Prints one line per write, then "reads=N writes=N exit=CODE".
"""
import re
import socket
import struct
import subprocess
import sys
import tempfile

ROUTE, NETFILTER, GENERIC = 0, 12, 16
REQUEST = 1  # the flag that tells what programs send from what the kernel answers: the tap shows both alike
IPVS_WRITES = {1: "new service", 2: "set service", 3: "delete service", 5: "new destination", 6: "set destination",
               7: "delete destination", 9: "new daemon", 10: "delete daemon", 12: "set timeouts", 16: "zero", 17: "flush"}
# Locks, pid files and pipes live here and do not outlive a boot.
EPHEMERAL = ("/run/", "/dev/", "/proc/", "/tmp/")
CALLS = "trace=openat,open,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,symlink,symlinkat,link,linkat,truncate,chmod,fchmodat,fchownat,chown"


def ipvs_family():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC) as s:
        name = struct.pack("HH", 9, 2) + b"IPVS\0\0\0\0"
        s.send(struct.pack("=IHHII", 20 + len(name), 16, 1, 1, 0) + struct.pack("BBH", 3, 1, 0) + name)
        answer = s.recv(65536)
    at = 20
    while at + 4 <= len(answer):
        length, kind = struct.unpack_from("HH", answer, at)
        if kind == 1:
            return struct.unpack_from("H", answer, at + 4)[0]
        at += max(4, (length + 3) & ~3)
    return None


def messages(packet):
    at = 0
    while at + 16 <= len(packet):
        length, kind, flags = struct.unpack_from("=IHH", packet, at)
        if length < 16:
            return
        if flags & REQUEST:
            yield kind, packet[at + 16:at + length]
        at += (length + 3) & ~3


def judge(protocol, kind, body, ipvs):
    """What a message to the kernel writes; None when it only reads, '' when it is no request at all."""
    if kind < 16 and not (protocol == NETFILTER and kind == 16):
        return ""
    if protocol == ROUTE:
        return None if (kind - 16) % 4 == 2 else f"rtnetlink type {kind}"
    if protocol == NETFILTER:
        return "nftables transaction" if kind == 16 else None
    if protocol == GENERIC and kind == ipvs and body:
        what = IPVS_WRITES.get(body[0])
        return what and f"ipvs {what}"
    return None


def written_files(trace):
    for line in trace:
        if " = -1 " in line or "unfinished" in line:
            continue
        if re.search(r"\bopen(at)?\(", line) and not re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", line):
            continue
        paths = re.findall(r'"([^"]*)"', line)
        if paths and not all(p.startswith(EPHEMERAL) for p in paths):
            yield line.strip()


def main(command):
    ipvs = ipvs_family()
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE: nothing may be missed
    tap.bind(("nlmon0", 0))
    with tempfile.NamedTemporaryFile("r") as trace:
        done = subprocess.run(["strace", "-f", "-qq", "-o", trace.name, "-e", CALLS, *command],
                              stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        files = list(written_files(trace))
    tap.setblocking(False)
    reads, writes = 0, []
    while True:
        try:
            packet, (_, protocol, _, _, _) = tap.recvfrom(1 << 20)
        except BlockingIOError:
            break
        for kind, body in messages(packet):
            found = judge(protocol, kind, body, ipvs)
            if found:
                writes.append(found)
            elif found is None:
                reads += 1
    for line in writes + files:
        print("write:", line)
    print(f"reads={reads} writes={len(writes) + len(files)} exit={done.returncode}")


main(sys.argv[1:])
