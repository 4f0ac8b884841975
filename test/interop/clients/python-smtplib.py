"""Sends the message on standard input by Python's smtplib, with what the JSON argument says.

smtplib writes its commands in lower case and has no AUTH EXTERNAL of its own, so that is given by
hand. A refusal is printed with its reply, and the exit status is 1.
"""

import base64
import json
import smtplib
import ssl
import sys

wanted = json.loads(sys.argv[1])
context = ssl.create_default_context(cafile=wanted["authority"])
if wanted["certificate"]:
    context.load_cert_chain(wanted["certificate"], wanted["key"])

try:
    if wanted["tls"] == "implicit":
        server = smtplib.SMTP_SSL("localhost", wanted["port"], context=context, timeout=20)
    else:
        server = smtplib.SMTP("localhost", wanted["port"], timeout=20)
        server.starttls(context=context)
    with server:
        server.ehlo()
        if wanted["login"] == "password":
            server.user, server.password = wanted["user"], wanted["password"]
            if wanted["mechanism"] == "":
                server.login(wanted["user"], wanted["password"])
            else:
                server.auth(wanted["mechanism"], getattr(server, "auth_" + wanted["mechanism"].lower()))
        elif wanted["login"] != "certificate":
            identity = base64.b64encode(wanted["from"].encode()).decode()
            code, text = server.docmd("AUTH", "EXTERNAL " + (identity if wanted["login"] == "external" else "="))
            if code != 235:
                raise smtplib.SMTPResponseException(code, text)
        server.sendmail(wanted["from"], [wanted["to"]], sys.stdin.read())
except (smtplib.SMTPException, ssl.SSLError, OSError) as problem:
    print(repr(problem), file=sys.stderr)
    sys.exit(1)
