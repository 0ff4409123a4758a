"""ftp_get.py HOST: fetch one file in active and one in passive mode; print what came, or why not."""
import ftplib
import sys


def get(host, passive):
    received = []
    with ftplib.FTP(host, timeout=8) as ftp:
        ftp.login("anonymous", "x")
        ftp.set_pasv(passive)
        ftp.retrbinary("RETR file", received.append)
    return b"".join(received).decode()


for name, passive in (("active", False), ("passive", True)):
    try:
        print(f"{name}: {get(sys.argv[1], passive)}")
    except (OSError, EOFError, ftplib.Error) as error:
        print(f"{name}: {type(error).__name__} {error}")
