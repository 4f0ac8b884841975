/** postern sendmail */

import { defineCommand } from '../command.ts'
import { runSendmail } from '../sendmail.ts'

export default defineCommand({
  summary: 'Send a message from standard input: a drop-in for programs that call /usr/sbin/sendmail.',
  details: `A link to bin/postern that is called sendmail runs this command. It speaks SMTP to the relay of sendmail.toml, over
verified TLS and with the certificate that is named there; it has no queue of its own. The file is the one that the
variable POSTERN_SENDMAIL names, or /etc/postern/sendmail.toml (docs/sendmail.md says what is in it). \`postern
sendmail --dir D …\` takes D/sendmail.toml. Further on \`--dir\` is wrong usage, and everywhere if the program is
called by the name sendmail: recipients and senders may be words of a stranger.

| sendmail's option | |
|---|---|
| \`-t\` | Recipients stand in To, Cc and Bcc, or Resent-To, Resent-Cc and Resent-Bcc; blind copies are taken out. Those on the command line are added. |
| \`-i\`, \`-oi\` | A line with only a dot does not end the message. |
| \`-f ADDRESS\`, \`-r ADDRESS\` | The sender of the envelope; \`""\` or \`"<>"\` for the null sender. Left out: the user's name at this host. |
| \`-F NAME\` | The name in a From that the message lacks. |
| \`-N CONDITIONS\` | What to be told of: \`never\`, or some of \`success,failure,delay\` (RFC 3461). |
| \`-R full\`, \`-R hdrs\` | How much of the message such a report brings back. |
| \`-V ID\` | What the report calls the message. |
| \`-bm\` | Send a message (what it does anyway). |
| \`-bs\` | Speak SMTP on standard input and output: a whole session at once, or a command at a time. |
| \`-bp\` | As \`postern mailq\`. |
| \`-v\` | Say to whom the message was sent, and what the relay answered. |
| \`-q…\` | Nothing: the relay has the queue. |
| \`-A -B -C -D -e -E -G -h -L -m -n -O -o -p -s -U -X\` | Read, and without effect. |

Exit codes are those of sysexits.h: 0 when the relay has taken the message for all recipients; 75 when it is worth
trying again, also when the relay is down; 64 for wrong usage, 65 for a message that cannot be sent as it is, 67 for
an unknown recipient, 77 for what the certificate may not do, 78 for settings, 69 for any other refusal. With -bs the
first refusal that is permanent counts, or else the first; a session that ends before a message is complete ends with 65.`,
  operands: 'RECIPIENT…',
  options: {},
  examples: [
    'postern sendmail -t -i < message',
    'postern sendmail -f cron@example.org -F "Nightly job" root@example.org < report',
    'ln -s /opt/postern/bin/postern /usr/sbin/sendmail',
  ],
  runWords: runSendmail,
  run: () => null,
  render: () => '',
})
