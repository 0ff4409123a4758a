"""ftp_server.py: serve any file name with the text "payload of NAME" on port 21, active and passive; nothing else.

Small on purpose: it is the outside end of the masquerade's FTP test, where the addresses inside
PORT and the PASV answer are what matters.
"""
import socket
import threading


def data_connection(pending):
    kind, value = pending
    if kind == "active":
        return socket.create_connection(value, timeout=5)
    value.settimeout(5)
    connection, _ = value.accept()
    value.close()
    return connection


def passive(control, say):
    listener = socket.socket()
    listener.bind((control.getsockname()[0], 0))
    listener.listen(1)
    host, port = listener.getsockname()
    say(f"227 Entering Passive Mode ({host.replace('.', ',')},{port // 256},{port % 256})")
    return ("passive", listener)


def active(argument, say):
    *host, high, low = argument.split(",")
    say("200 ok")
    return ("active", (".".join(host), int(high) * 256 + int(low)))


def session(control):
    say = lambda line: control.sendall(line.encode() + b"\r\n")
    say("220 ready")
    pending = None
    for line in control.makefile("r"):
        verb, _, argument = line.strip().partition(" ")
        match verb.upper():
            case "USER": say("331 any password")
            case "PASS": say("230 in")
            case "TYPE": say("200 ok")
            case "PASV": pending = passive(control, say)
            case "PORT": pending = active(argument, say)
            case "RETR":
                say("150 here it comes")
                try:
                    with data_connection(pending) as data:
                        data.sendall(f"payload of {argument}".encode())
                    say("226 done")
                except OSError as error:
                    say(f"425 {error}")
            case "QUIT":
                say("221 bye")
                break
            case _: say("502 not here")
    control.close()


server = socket.create_server(("", 21), reuse_port=True)
while True:
    connection, _ = server.accept()
    threading.Thread(target=session, args=(connection,), daemon=True).start()
