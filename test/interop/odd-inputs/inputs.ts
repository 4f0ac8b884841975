/**
 * Commands that mail servers read differently: paths off the grammar of RFC 5321 §4.1.2 or at its edge,
 * parameters, arguments where none belong, commands out of order.
 */

export type Input = {
  /** What has been said before, each taken. */
  readonly after: 'greeting' | 'hello' | 'mail' | 'recipient'
  /** Octets, as latin1. */
  readonly line: string
}

const LONG_LABEL = 'l'.repeat(63)

const LOCAL_PARTS = [
  'user', 'User', 'user+detail', 'user-name', 'user_name', 'user.name', "o'brien", '!#$%&', '*/=?^`{|}~', '1', '-user', 'user-',
  '.user', 'user.', 'us..er', 'us er', 'us\ter', 'us,er', 'us;er', 'us:er', 'us(er', 'us(er)', 'us<er', 'us>er', 'us[er]', 'us\\er', 'us\\@er', 'us"er',
  '""', '"user"', '"us er"', '"us@er"', '"us\\"er"', '"us\\\\er"', '"us\\er"', '"us>er"', '"us<er"', '"us"er', 'us"er"', '"us"."er"', '"us".er', '"user', 'user"', '" "', '".user"',
  'user%other.example', 'user%other.example%third.example', '%other.example', 'other.example!user', '!user', 'user!', 'a!b!c', 'user@other.example', '"user@other.example"', '"user%other.example"',
  '@', '', 'ü', '"ü"', 'user\u00a0', 'l'.repeat(64), 'l'.repeat(65), 'l'.repeat(120), '|/bin/sh', '/etc/passwd', ':include:/etc/passwd', '-f', '-oQ/tmp', '$(id)', '${run}', '`id`',
]

const DOMAINS = [
  'example.net', 'EXAMPLE.NET', 'localhost', 'net', 'a.b.c.d.e.f.example.net', 'ex-ample.net', '1.example.net', '1', '192.0.2.1', '0x7f.1',
  'example.net.', 'example..net', '.example.net', 'example.net..', '-example.net', 'example-.net', 'ex_ample.net', 'ex ample.net', 'ex,ample.net', 'ex;ample.net', 'ex/ample.net', 'ex:ample.net', 'example.net:25', 'example.net,other.example', 'example.net@other.example', 'ex"ample.net', 'ex(ample).net', 'ex\\ample.net', 'exa%mple.net', 'exa!mple.net',
  `${LONG_LABEL}.net`, `${LONG_LABEL}l.net`, `${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}.net`, `${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}.net`,
  'bücher.example', 'xn--bcher-kva.example', 'xn--.example', 'example。net', 'example.net\u200b',
  '[192.0.2.1]', '[192.0.2.1', '192.0.2.1]', '[192.0.2.256]', '[192.0.2]', '[192.0.2.1.1]', '[192.0.2.01]', '[ 192.0.2.1 ]', '[IPv6:2001:db8::1]', '[ipv6:2001:db8::1]', '[2001:db8::1]', '[IPv6:2001:db8::1::2]', '[IPv6:::1]', '[IPv6:::ffff:192.0.2.1]', '[IPv6:1:2:3:4:5:6:7]', '[IPv6:1:2:3:4:5:6:7:8]', '[IPv6:2001:db8::g]', '[IPv9:something]', '[example.net]', '[]', '[192.0.2.1].example.net',
  '', '#123', '*', '*.example.net', '$',
]

/** Whole paths, as they stand behind the colon. */
const PATHS = [
  '<user@example.net>', ' <user@example.net>', '<user@example.net> ', 'user@example.net', '<user@example.net', 'user@example.net>', '<<user@example.net>>', '< user@example.net>', '<user@example.net >', '<user @example.net>', '<user@ example.net>', '<user@example.net>>', '<user@example.net>x', '<user@example.net>,<other@example.net>', '<user@example.net> <other@example.net>', 'User <user@example.net>', '"User" <user@example.net>', '<user@example.net> (User)', '<(User) user@example.net>', '<user@example.net (User)>', '<user>', 'user', '<>', '< >', '<@>', '<@example.net>', '<user@>', '"<user@example.net>"', '<"user@example.net">', "<'user@example.net'>", '', ' ',
  '<@hop.example:user@example.net>', '<@hop.example,@hop2.example:user@example.net>', '<@hop.example:>', '<@hop.example:@hop2.example:user@example.net>', '<@hop.example user@example.net>', '<@:user@example.net>', '<hop.example:user@example.net>', '<@hop.example,user@example.net>', '<@hop.example,:user@example.net>', '<@[192.0.2.9]:user@example.net>',
  '<postmaster>', '<Postmaster>', '<POSTMASTER>', '<postmaster@>', '<postmaster@example.net>', '<MAILER-DAEMON>', '<user@example.net;other@example.net>', '<user@example.net>;<other@example.net>', 'postmaster', '<group:user@example.net;>', '<user@example.net\\>', '<user@example.net">', '<\\user@example.net>', '<=?utf-8?q?user?=@example.net>',
]

const PARAMETERS = [
  'SIZE=100', 'SIZE=', 'SIZE', 'SIZE=abc', 'SIZE=-1', 'SIZE=1 SIZE=2', 'SIZE=99999999999999999999', 'SIZE=999999999999999999999999', 'size=100', 'BODY=8BITMIME', 'BODY=7BIT', 'BODY=9BIT', 'BODY', 'BODY=', 'body=8bitmime', 'SMTPUTF8', 'SMTPUTF8=1', 'AUTH=<>', 'AUTH=user@example.net', 'AUTH=', 'AUTH=a+3Db', 'AUTH=a=b', 'FOO', 'FOO=bar', 'FOO=', '=bar', '-FOO=bar', 'SIZE=100  BODY=7BIT', 'SIZE=100\tBODY=7BIT', 'SIZE = 100', 'RET=HDRS', 'ENVID=abc',
]

const OTHERS: readonly Input[] = [
  ...['HELO', 'HELO ', 'HELO client', 'HELO client.example.test extra', 'HELO [127.0.0.1]', 'HELO [127.0.0.1', 'HELO under_score', 'HELO -x', 'HELO <>', 'HELO a@b', 'EHLO', 'EHLO client', 'EHLO client.example.test extra', 'EHLO [IPv6:::1]', 'EHLO [client]', 'EHLO .', 'EHLO ünder', 'LHLO client', 'ehlo client', 'EhLo client', 'EHLO  client', 'EHLO\tclient', ' EHLO client', 'MAIL FROM:<user@example.net>', 'RCPT TO:<user@example.net>', 'DATA', 'RSET', 'NOOP', 'QUIT now', 'VRFY user', 'HELP', '', ' ', 'X', 'XYZZY', 'EXPN list', 'TURN', 'SEND FROM:<user@example.net>', 'SOML FROM:<user@example.net>', 'SAML FROM:<user@example.net>', 'STARTTLS now', 'AUTH', 'AUTH PLAIN', 'AUTH PLAIN AGEAYg==', 'GETX', 'MAILFROM:<user@example.net>'].map(line => ({ after: 'greeting', line }) as const),
  ...['MAIL', 'MAIL FROM', 'MAIL FROM:', 'MAIL FROM <user@example.net>', 'MAIL  FROM:<user@example.net>', 'MAIL FROM :<user@example.net>', 'MAIL FROM: <user@example.net>', 'MAIL FROM:\t<user@example.net>', 'MAIL\tFROM:<user@example.net>', 'mail from:<user@example.net>', 'MAIL TO:<user@example.net>', 'MAIL <user@example.net>', 'MAIL user@example.net', 'RCPT TO:<user@example.net>', 'DATA', 'DATA now', 'RSET', 'RSET now', 'NOOP', 'NOOP now', 'NOOP "a b"', 'HELP', 'HELP MAIL', 'VRFY', 'VRFY user', 'VRFY <user@example.net>', 'EXPN', 'EXPN list', 'EHLO client.example.test', 'HELO client.example.test', 'QUIT now', 'STARTTLS now', 'AUTH EXTERNAL', 'ETRN', 'ETRN example.net', 'BDAT', 'XCLIENT ADDR=192.0.2.1', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2', `NOOP ${'x'.repeat(500)}`, `NOOP ${'x'.repeat(2500)}`, `XYZZY ${'x'.repeat(600)}`].map(line => ({ after: 'hello', line }) as const),
  ...['MAIL FROM:<user@example.net>', 'RCPT', 'RCPT TO', 'RCPT TO:', 'RCPT TO <user@example.net>', 'RCPT TO : <user@example.net>', 'RCPT FROM:<user@example.net>', 'rcpt to:<user@example.net>', 'RCPT TO:<user@example.net> FOO=bar', 'RCPT TO:<user@example.net> FOO', 'RCPT TO:<user@example.net> SIZE=1', 'RCPT TO:<user@example.net> ', 'DATA', 'EHLO client.example.test', 'HELO client.example.test', 'NOOP', 'VRFY user', 'HELP', 'RSET', 'AUTH EXTERNAL', 'STARTTLS now'].map(line => ({ after: 'mail', line }) as const),
  ...['MAIL FROM:<user@example.net>', 'RCPT TO:<second@example.net>', 'RCPT TO:<user@example.net>', 'DATA now', 'EHLO client.example.test', 'NOOP', 'RSET now'].map(line => ({ after: 'recipient', line }) as const),
]

/** Octets that are no UTF-8. */
const NO_UTF8: readonly Input[] = [
  { after: 'mail', line: 'RCPT TO:<\xfc@example.net>' },
  { after: 'mail', line: 'RCPT TO:<user@b\xfccher.example>' },
  { after: 'hello', line: 'MAIL FROM:<\xfc@example.net> SMTPUTF8' },
  { after: 'hello', line: 'NOOP \xfc' },
]

const WRITTEN: readonly Input[] = [
  ...LOCAL_PARTS.map(localPart => ({ after: 'mail', line: `RCPT TO:<${localPart}@example.net>` }) as const),
  ...DOMAINS.map(domain => ({ after: 'mail', line: `RCPT TO:<user@${domain}>` }) as const),
  ...PATHS.map(path => ({ after: 'mail', line: `RCPT TO:${path}` }) as const),
  ...PATHS.map(path => ({ after: 'hello', line: `MAIL FROM:${path}` }) as const),
  ...PARAMETERS.map(parameters => ({ after: 'hello', line: `MAIL FROM:<user@example.net> ${parameters}` }) as const),
  ...OTHERS,
]

export const INPUTS: readonly Input[] = [...WRITTEN.map(({ after, line }) => ({ after, line: Buffer.from(line).toString('latin1') })), ...NO_UTF8]
