import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoggedDecision } from '../replay.ts'
import { parseLogLine, parseRelay } from './log-line.ts'
import { SendmailLog } from './maillog.ts'

/** What a log tells, one row for each decision, and why some lines tell none. */
function check(log: string, ...expected: readonly string[]): void {
  const told: string[] = []
  const reader = new SendmailLog({ ask: decision => told.push(inOneRow(decision)), leave: why => told.push(`left: ${why}`) }, new Map([['MSA', 'submission']]))
  for (const [index, line] of log.trim().split('\n').entries()) reader.line(line.trim(), { file: 'maillog', line: index + 1 })
  reader.end()
  assert.deepEqual(told, expected)
}

function inOneRow({ from, client, identity, authentication, listener, reversePath, forwardPath, accepted }: LoggedDecision): string {
  const proved = identity.kind === 'verified' ? (identity.names?.subject ?? 'verified') : identity.kind
  const name = client.name.resolve === 'OK' ? client.name.name : client.name.resolve
  return `${from.line} ${client.address} ${name} ${proved}${authentication === null ? '' : ` ${authentication}`} ${listener} <${reversePath}> <${forwardPath ?? '-'}> ${accepted ? 'accepted' : 'refused'}`
}

test('a message is known by its queue id, and what its client proved by the process', () =>
  check(
    `
    Nov 23 21:59:50 hub sendmail[17075]: NOQUEUE: connect from [127.0.0.2]
    Nov 23 21:59:50 hub sendmail[17075]: STARTTLS=server, relay=[127.0.0.2], version=TLSv1.3, verify=OK, cipher=TLS_AES_256_GCM_SHA384, bits=256/256
    Nov 23 21:59:50 hub sendmail[17075]: STARTTLS=server, cert-subject=/C=US/CN=joe+20user, cert-issuer=/C=US/CN=CA, verifymsg=ok
    Nov 23 21:59:50 hub sendmail[17075]: 6ANLxoI8017075: from=<joe@example.org>, size=15, class=0, nrcpts=2, msgid=<1@x>, proto=ESMTPS, daemon=MTA, relay=[127.0.0.2]
    Nov 23 21:59:50 hub sendmail[17077]: 6ANLxoI8017075: to=<bob@dest.example>,<ann@dest.example>, delay=00:00:00, mailer=relay, pri=60015, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (2.0.0 ok)
    Nov 23 22:09:50 hub sendmail[17078]: 6ANLxoI8017075: to=<ann@dest.example>, delay=00:10:00, mailer=relay, relay=[127.0.0.1], dsn=2.0.0, stat=Sent`,
    '5 127.0.0.2 FAIL /C=US/CN=joe+20user mx <joe@example.org> <bob@dest.example> accepted',
    '5 127.0.0.2 FAIL /C=US/CN=joe+20user mx <joe@example.org> <ann@dest.example> accepted',
  ))

test('a refused recipient waits for the line with its sender', () =>
  check(
    `
    Nov 23 21:59:50 hub sm-mta[1]: 6ANLxo7v017078: ruleset=check_rcpt, arg1=<ann@dest.example>, relay=pc.example [192.0.2.7], reject=550 5.7.1 <ann@dest.example>... Relaying denied
    Nov 23 21:59:50 hub sm-mta[1]: 6ANLxo7v017078: from=<eve@example.org>, size=18, class=0, nrcpts=0, proto=ESMTP, daemon=MSA, relay=pc.example [192.0.2.7]
    Nov 23 21:59:51 hub sm-mta[2]: 6ANLxo7v017079: ruleset=check_rcpt, arg1=<bob@dest.example>, relay=[192.0.2.8] (may be forged), reject=450 4.4.0 <bob@dest.example>... Later`,
    '1 192.0.2.7 pc.example plaintext submission <eve@example.org> <ann@dest.example> refused',
    '3 192.0.2.8 FAIL plaintext mx <> <bob@dest.example> refused',
  ))

test('clients and senders are refused before a recipient is named', () =>
  check(
    `
    Nov 23 21:59:50 hub sm-mta[1]: ruleset=check_relay, arg1=[192.0.2.9], arg2=192.0.2.9, relay=[192.0.2.9], reject=550 5.7.1 Access denied
    Nov 23 21:59:50 hub sm-mta[1]: 6ANLxoLZ017087: ruleset=check_mail, arg1=<x@spam.example>, relay=a.example [IPv6:2001:db8::9], reject=550 5.7.1 <x@spam.example>... No
    Nov 23 21:59:50 hub sm-mta[1]: 6ANLxoLZ017087: ruleset=check_eoh, arg1=3, relay=a.example [192.0.2.1], reject=550 5.7.1 Bad header`,
    '1 192.0.2.9 FAIL plaintext mx <> <-> refused',
    '2 2001:db8::9 a.example plaintext mx <x@spam.example> <-> refused',
    'left: refused by check_eoh, which is not about who may relay',
  ))

test('what DNS had against a client or a sender is told from the words, and what no log has is left', () => {
  const causes: (string | null)[] = []
  const left: string[] = []
  const reader = new SendmailLog({ ask: ({ cause }) => causes.push(cause), leave: why => left.push(why.replace(/,.*$/, '')) }, new Map())
  const refuse = (reply: string, arg2 = '192.0.2.9'): void => reader.line(`Nov 23 21:59:50 hub sm-mta[1]: ruleset=check_relay, arg1=a.example, arg2=${arg2}, relay=a.example [192.0.2.9], reject=${reply}`, { file: 'maillog', line: 1 })
  refuse('550 5.7.1 Access denied')
  refuse('550 5.7.1 Rejected: 192.0.2.9 listed at list.example')
  refuse('550 Our own words', '127.0.0.4')
  refuse('553 5.1.8 <a@b.example>... Domain of sender address a@b.example does not exist')
  refuse('451 4.1.8 Domain of sender address a@b.example does not resolve')
  refuse('550 5.7.1 Fix reverse DNS for 192.0.2.9')
  refuse('451 4.1.8 Client IP address 192.0.2.9 does not resolve')
  refuse('421 4.3.2 Connection rate limit exceeded.')
  refuse('421 4.3.2 Too many open connections.')
  refuse('550 5.7.1 bogus HELO name used: x')
  assert.deepEqual(causes, [null, 'blocklist', 'blocklist', 'senderDomainMissing', 'senderDomainUnresolved', 'reverseName', 'reverseName'])
  assert.deepEqual(left, ['refused for coming too often or with too many connections', 'refused for coming too often or with too many connections', 'refused for the name after HELO'])
})

test('what an alias led to is not what the client named, and a sender with an account is no alias', () =>
  check(
    `
    Nov 23 21:59:50 hub sm-mta[1]: 6ANLxoBj017093: from=<root@hub.example.test>, size=15, class=0, nrcpts=1, proto=ESMTP, daemon=MTA, relay=localhost [127.0.0.1]
    Nov 23 21:59:50 hub sm-mta[2]: 6ANLxoBj017093: to=<ann@dest.example>, ctladdr=<root@hub.example.test> (0/0), delay=00:00:00, stat=Sent
    Nov 23 21:59:50 hub sm-mta[2]: 6ANLxoBj017093: to=|/usr/bin/vacation, ctladdr=<list@hub.example.test> (8/0), delay=00:00:00, mailer=prog, stat=Sent`,
    '2 127.0.0.1 localhost plaintext mx <root@hub.example.test> <ann@dest.example> accepted',
    '3 127.0.0.1 localhost plaintext mx <root@hub.example.test> <list@hub.example.test> accepted',
  ))

test('a process id that comes again proves nothing for another client', () =>
  check(
    `
    Nov 23 21:59:50 hub sm-mta[7]: STARTTLS=server, relay=[192.0.2.1], version=TLSv1.3, verify=OK, cipher=X, bits=256/256
    Nov 23 21:59:50 hub sm-mta[7]: STARTTLS=server, cert-subject=/CN=joe, cert-issuer=/CN=CA, verifymsg=ok
    Nov 23 22:59:50 hub sm-mta[7]: 6ANLxoBj017093: from=<a@b.example>, size=15, nrcpts=1, proto=ESMTP, daemon=MTA, relay=[192.0.2.1]
    Nov 23 22:59:50 hub sm-mta[8]: 6ANLxoBj017093: to=<ann@dest.example>, delay=00:00:00, stat=Sent
    Nov 23 23:59:50 hub sm-mta[7]: 6ANLxoBj017094: from=<a@b.example>, size=15, nrcpts=1, proto=ESMTPS, daemon=MTA, tls_verify=NO, relay=[192.0.2.66]
    Nov 23 23:59:50 hub sm-mta[8]: 6ANLxoBj017094: to=<ann@dest.example>, delay=00:00:00, stat=Sent`,
    '4 192.0.2.1 FAIL plaintext mx <a@b.example> <ann@dest.example> accepted',
    '6 192.0.2.66 FAIL anonymous mx <a@b.example> <ann@dest.example> accepted',
  ))

test('a log-in is told, and mail of the sendmail command is left', () =>
  check(
    `
    2026-11-23T22:00:00.123456+01:00 hub sm-mta[3]: AUTH=server, relay=phone.example [192.0.2.3], authid=sue, mech=PLAIN, bits=0
    2026-11-23T22:00:00.123456+01:00 hub sm-mta[3]: 6ANLxoBj017095: from=<sue@example.org>, nrcpts=1, proto=ESMTPA, daemon=MSA, relay=phone.example [192.0.2.3]
    2026-11-23T22:00:00.123456+01:00 hub sm-mta[4]: 6ANLxoBj017095: to=<ann@dest.example>, stat=Sent
    <22>Nov 23 22:00:01 hub sm-msp-queue[5]: 6ANLxoBj017096: from=root, size=3, nrcpts=1, relay=root@localhost
    <22>Nov 23 22:00:01 hub sm-msp-queue[5]: 6ANLxoBj017096: to=ann@dest.example, ctladdr=root (0/0), relay=[127.0.0.1] [127.0.0.1], stat=Sent
    Nov 23 22:00:02 hub sm-mta[6]: 6ANLxoBj017097: to=<ann@dest.example>, stat=Sent
    Nov 23 22:00:02 hub sm-mta[6]: 6ANLxoBj017098: <nobody@example.org>... User unknown
    Nov 23 22:00:03 hub postfix/smtpd[9]: 6ANLxoBj017099: from=<a@b.example>, relay=[192.0.2.3]`,
    '3 192.0.2.3 phone.example plaintext PLAIN submission <sue@example.org> <ann@dest.example> accepted',
    'left: given to the sendmail command, which has a certificate in Postern',
    'left: the line with the sender is not in this log',
    'left: refused because there was no such user, which the next hop must know now',
  ))

test('a line is taken apart whatever wrote it', () => {
  assert.equal(parseLogLine('Nov  3 01:02:03 hub sendmail[12]: [ID 801593 mail.info] kA31234567: to=<a@b>, stat=Sent')?.queueId, 'kA31234567')
  assert.equal(parseLogLine('Nov  3 01:02:03 hub sshd[12]: kA31234567: to=<a@b>'), null)
  assert.equal(parseLogLine('no log line at all'), null)
  assert.deepEqual(parseRelay('ident@Host.Example. [192.0.2.7] (may be forged)'), { address: '192.0.2.7', name: { resolve: 'FORGED' } })
  assert.deepEqual(parseRelay('root@localhost'), null)
})

test('what is remembered is bounded, and no refusal is forgotten unsaid', () => {
  let refused = 0
  const reader = new SendmailLog({ ask: () => void (refused += 1), leave: () => {} }, new Map())
  for (let number = 0; number < 25_000; number += 1) {
    reader.line(`Nov 23 21:59:50 hub sm-mta[1]: q${String(number).padStart(9, '0')}: ruleset=check_rcpt, arg1=<a@b.example>, relay=[192.0.2.7], reject=550 No`, { file: 'maillog', line: number })
  }
  assert.equal(refused, 5_000)
  reader.end()
  assert.equal(refused, 25_000)
})
