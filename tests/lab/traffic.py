"""Traffic through a director, and what became of it.

traffic.py serve NAME PORT                           answer every message with NAME and the message
traffic.py load HOST PORT STREAMS RATE CLASSES       be the clients

The load is STREAMS connections that live on, each with a numbered message a second that must come back from the
server it began with, and RATE new connections a second: connect, ask, be answered, close. A stream that is reset,
closed, answered wrongly or not at all within ten seconds is lost, and opened again. A new connection that is refused,
or has no answer by then, has failed.

A word written to the named pipe CLASSES begins a class of changes: what happens from then on is counted under it, by
when the message or the connection began and not by when it turned out to be lost. "all up" is said whenever every
stream is open. The word "end" ends it all, and prints for each class what was counted, each count as WORD=N:

  streams   open when the class began          messages  answered on them
  lost      streams, and how: lost-timeout     new       connections begun
  failed    of those, and how: failed-refused  again     answered, but a packet had to be sent again: when that
                                                         is the first one, it costs a second
"""
import collections
import contextlib
import errno
import itertools
import os
import select
import socket
import struct
import sys
import threading

PATIENCE, PAUSE = 10, 1
TOTAL_RETRANS = 100  # its offset in the kernel's struct tcp_info
WORDS = {"ECONNREFUSED": "refused", "ECONNRESET": "reset", "EPIPE": "reset"}


def serve(name, port):
    poll, clients = select.epoll(), {}
    listener = socket.create_server(("", port), backlog=1024)
    poll.register(listener, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                client, _ = listener.accept()
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
                continue
            # A client that went without a word is none of our business.
            with contextlib.suppress(OSError):
                if message := clients[fd].recv(4096):
                    clients[fd].sendall(name + b" " + message)
                    continue
            clients.pop(fd).close()


def ask(connection, number):
    """Sends a message; the name of the server that answered it."""
    connection.sendall(b"%d\n" % number)
    answer = connection.recv(4096)
    if not answer:
        raise ValueError("closed")
    name, _, came_back = answer.partition(b" ")
    if came_back != b"%d\n" % number:
        raise ValueError("wrong")
    return name


def why(error):
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError):
        name = errno.errorcode.get(error.errno, "unknown")
        return WORDS.get(name, name.lower())
    return str(error)


class Load:
    def __init__(self, at, streams):
        self.at, self.streams, self.up = at, streams, 0
        self.ending, self.lock = threading.Event(), threading.Lock()
        self.counts = {}
        self.begin("start")

    def begin(self, now):
        with self.lock:
            self.now = now
            self.counts.setdefault(now, collections.Counter(streams=self.up))

    def count(self, under, *words):
        with self.lock:
            for word in words:
                self.counts[under][word] += 1

    def is_up(self, change):
        with self.lock:
            self.up += change
            if self.up == self.streams:
                print("all up", flush=True)

    def stream(self, index):
        self.ending.wait(PAUSE * index / self.streams)
        while not self.ending.is_set():
            with contextlib.suppress(OSError), socket.create_connection(self.at, PATIENCE) as connection:
                self.exchange(connection)
            self.ending.wait(PAUSE)

    def exchange(self, connection):
        began = None
        for number in itertools.count():
            now = self.now
            try:
                server = ask(connection, number)
                if began not in (None, server):
                    raise ValueError("moved")
            except (OSError, ValueError) as error:
                # One that was never answered was not up: it is a new connection that failed, and tried again.
                if began is not None:
                    self.count(now, "lost", "lost-" + why(error))
                    self.is_up(-1)
                    print("lost", now, began.decode(), why(error), flush=True)
                return
            if began is None:
                began = server
                self.is_up(+1)
            self.count(now, "messages")
            if self.ending.wait(PAUSE):
                return

    def new(self, index, rate):
        self.ending.wait(PAUSE * index / rate)
        while not self.ending.wait(PAUSE):
            now = self.now
            try:
                with socket.create_connection(self.at, PATIENCE) as connection:
                    ask(connection, 0)
                    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANS + 4)
                again = struct.unpack_from("I", info, TOTAL_RETRANS)[0]
                self.count(now, "new", *["again"] * bool(again))
            except (OSError, ValueError) as error:
                self.count(now, "new", "failed", "failed-" + why(error))


def load(at, streams, rate, classes):
    it = Load(at, streams)
    threading.stack_size(256 << 10)
    threads = [threading.Thread(target=it.stream, args=(i,)) for i in range(streams)]
    threads += [threading.Thread(target=it.new, args=(i, rate)) for i in range(rate)]
    os.mkfifo(classes)
    for thread in threads:
        thread.start()
    # Opened for both: it has no end when a writer goes.
    with os.fdopen(os.open(classes, os.O_RDWR)) as words:
        for word in iter(words.readline, "end\n"):
            it.begin(word.strip())
    it.ending.set()
    for thread in threads:
        thread.join()
    for name, counts in it.counts.items():
        print(name, *(f"{word}={number}" for word, number in sorted(counts.items())))


match sys.argv[1:]:
    case ["serve", name, port]:
        serve(name.encode(), int(port))
    case ["load", host, port, streams, rate, classes]:
        load((host, int(port)), int(streams), int(rate), classes)
    case _:
        sys.exit(__doc__)
