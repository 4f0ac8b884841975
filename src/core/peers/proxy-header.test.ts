import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, integer, property, uint8Array } from 'fast-check'
import { crc32c } from './crc32c.ts'
import { LONGEST_HEADER_OCTETS, readProxyHeader } from './proxy-header.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'

function v1(line: string): Buffer {
  return Buffer.from(line, 'latin1')
}

/** `length` is what the header says of itself; left out, it tells the truth. */
function v2(command: number, family: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.from(`${SIGNATURE}00000000`, 'hex')
  head[12] = command
  head[13] = family
  head.writeUInt16BE(length, 14)
  return Buffer.concat([head, payload])
}

/** 192.0.2.7:56324 to 192.0.2.1:25. */
const IPV4 = Buffer.from('c0000207c0000201dc040019', 'hex')
const IPV6 = Buffer.from('20010db8000000000000000000000009'.repeat(2) + 'dc040019', 'hex')

function extension(type: number, value: Buffer): Buffer {
  const head = Buffer.of(type, 0, 0)
  head.writeUInt16BE(value.length, 1)
  return Buffer.concat([head, value])
}

/** The header with a checksum that is right, or wrong in its last bit. */
function withChecksum(payload: Buffer, error = 0): Buffer {
  const header = v2(0x21, 0x11, Buffer.concat([payload, extension(3, Buffer.alloc(4))]))
  header.writeUInt32BE((crc32c(header) ^ error) >>> 0, header.length - 4)
  return header
}

const accepted: readonly (readonly [what: string, header: Buffer, client: string | null])[] = [
  ['TCP4', v1('PROXY TCP4 192.0.2.7 192.0.2.1 56324 25\r\n'), '192.0.2.7 56324'],
  ['the widest ports', v1('PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n'), '255.255.255.255 65535'],
  ['TCP6', v1('PROXY TCP6 2001:DB8::9 ::1 56324 25\r\n'), '2001:db8::9 56324'],
  ['TCP6, written out', v1('PROXY TCP6 2001:0db8:0000:0000:0000:0000:0000:0009 0:0:0:0:0:0:0:1 1 25\r\n'), '2001:db8::9 1'],
  ['TCP6 with a mapped IPv4 address, which is an IPv4 address', v1('PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 1 25\r\n'), '192.0.2.7 1'],
  ['UNKNOWN', v1('PROXY UNKNOWN\r\n'), null],
  ['UNKNOWN with anything behind it', v1('PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'), null],
  ['version 2, IPv4', v2(0x21, 0x11, IPV4), '192.0.2.7 56324'],
  ['version 2, IPv6', v2(0x21, 0x21, IPV6), '2001:db8::9 56324'],
  ['version 2, mapped', v2(0x21, 0x21, Buffer.from(`${'00000000000000000000ffffc0000207'.repeat(2)}dc040019`, 'hex')), '192.0.2.7 56324'],
  ['version 2, LOCAL', v2(0x20, 0x00, Buffer.alloc(0)), null],
  ['version 2, LOCAL with addresses', v2(0x20, 0x11, IPV4), null],
  ['version 2, a family that the proxy has no name for', v2(0x21, 0x00, Buffer.from('anything at all')), null],
  ['version 2, extensions', v2(0x21, 0x11, Buffer.concat([IPV4, extension(4, Buffer.alloc(9)), extension(5, Buffer.from('id'))])), '192.0.2.7 56324'],
  ['version 2, an empty extension', v2(0x21, 0x11, Buffer.concat([IPV4, extension(4, Buffer.alloc(0))])), '192.0.2.7 56324'],
  ['version 2, what the client proved to the proxy by TLS', v2(0x21, 0x11, Buffer.concat([IPV4, extension(0x20, Buffer.from('0700000000220003636e3d', 'hex'))])), '192.0.2.7 56324'],
  ['version 2, a checksum', withChecksum(IPV4), '192.0.2.7 56324'],
  ['version 2, a checksum behind another extension', withChecksum(Buffer.concat([IPV4, extension(5, Buffer.from('id'))])), '192.0.2.7 56324'],
  ['version 2, the longest', v2(0x21, 0x11, Buffer.concat([IPV4, extension(4, Buffer.alloc(LONGEST_HEADER_OCTETS - 16 - 12 - 3))])), '192.0.2.7 56324'],
]

const refused: readonly (readonly [what: string, header: Buffer, why: RegExp])[] = [
  ['SMTP', v1('EHLO bot.example.com\r\n'), /does not begin/],
  ['TLS', Buffer.from('16030100', 'hex'), /does not begin/],
  ['lower case', v1('proxy TCP4 192.0.2.7 192.0.2.1 1 25\r\n'), /does not begin/],
  ['another protocol', v1('PROXY UDP4 192.0.2.7 192.0.2.1 1 25\r\n'), /none of TCP4/],
  ['no protocol', v1('PROXY \r\n'), /none of TCP4/],
  ['UNKNOWN that goes on', v1('PROXY UNKNOWNS\r\n'), /none of TCP4/],
  ['a missing port', v1('PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n'), /two ports/],
  ['one word too many', v1('PROXY TCP4 192.0.2.7 192.0.2.1 1 25 26\r\n'), /two ports/],
  ['two blanks', v1('PROXY TCP4  192.0.2.7 192.0.2.1 1 25\r\n'), /two ports/],
  ['a blank at the end', v1('PROXY TCP4 192.0.2.7 192.0.2.1 1 25 \r\n'), /two ports/],
  ['a port with a zero in front', v1('PROXY TCP4 192.0.2.7 192.0.2.1 01 25\r\n'), /two ports/],
  ['a port that is none', v1('PROXY TCP4 192.0.2.7 192.0.2.1 65536 25\r\n'), /two ports/],
  ['a negative port', v1('PROXY TCP4 192.0.2.7 192.0.2.1 -1 25\r\n'), /two ports/],
  ['an octet over 255', v1('PROXY TCP4 192.0.2.256 192.0.2.1 1 25\r\n'), /none of TCP4/],
  ['an octet with a zero in front', v1('PROXY TCP4 192.0.2.07 192.0.2.1 1 25\r\n'), /none of TCP4/],
  ['a short address', v1('PROXY TCP4 192.2 192.0.2.1 1 25\r\n'), /none of TCP4/],
  ['IPv6 in TCP4', v1('PROXY TCP4 ::1 192.0.2.1 1 25\r\n'), /none of TCP4/],
  ['IPv4 in TCP6', v1('PROXY TCP6 192.0.2.7 ::1 1 25\r\n'), /none of TCP6/],
  ['IPv6 with two gaps', v1('PROXY TCP6 1::2::3 ::1 1 25\r\n'), /none of TCP6/],
  ['IPv6 with a zone', v1('PROXY TCP6 fe80::1%eth0 ::1 1 25\r\n'), /none of TCP6/],
  ['IPv6 with letters before an IPv4 tail', v1('PROXY TCP6 ::f1.0.2.7 ::1 1 25\r\n'), /none of TCP6/],
  ['IPv6 with a wrong IPv4 tail', v1('PROXY TCP6 ::ffff:192.0.2.300 ::1 1 25\r\n'), /none of TCP6/],
  ['a wrong destination', v1('PROXY TCP4 192.0.2.7 x 1 25\r\n'), /none of TCP4/],
  ['LF alone', v1('PROXY TCP4 192.0.2.7 192.0.2.1 1 25\n'), /CR or LF/],
  ['CR within', v1('PROXY TCP4 192.0.2.7\r192.0.2.1 1 25\r\n'), /CR or LF/],
  ['a line that does not end', v1(`PROXY UNKNOWN ${'x'.repeat(200)}`), /too long/],
  ['a line one octet too long', v1(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`), /too long/],
  ['another signature', Buffer.from('0d0a0d0a000d0a515549540d', 'hex'), /does not begin/],
  ['version 1 in binary', v2(0x11, 0x11, IPV4), /version/],
  ['an unknown command', v2(0x22, 0x11, IPV4), /command/],
  ['a UNIX socket', v2(0x21, 0x31, Buffer.alloc(216)), /family/],
  ['UDP', v2(0x21, 0x12, IPV4), /family/],
  ['an unknown family', v2(0x21, 0x41, IPV4), /family/],
  ['addresses that are cut short', v2(0x21, 0x11, IPV4.subarray(0, 11)), /cut short/],
  ['IPv4 where IPv6 is said', v2(0x21, 0x21, IPV4), /cut short/],
  ['a length beyond the most', v2(0x21, 0x11, IPV4, 65_535), /4096 is the most/],
  ['an extension without its length', v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.of(4, 0)])), /longer than the header/],
  ['an extension that lies', v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.of(4, 0xff, 0xff, 1)])), /longer than the header/],
  ['an extension that lies by one octet', v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.of(4, 0, 2, 1)])), /longer than the header/],
  ['a wrong checksum', withChecksum(IPV4, 1), /checksum/],
  ['a checksum of another length', v2(0x21, 0x11, Buffer.concat([IPV4, extension(3, Buffer.alloc(3))])), /checksum/],
]

test('the checksum is that of RFC 3720 §B.4', () => {
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})

for (const [what, header, client] of accepted) {
  test(`${what}: taken, and nothing behind it touched`, () => {
    for (const behind of ['', 'EHLO laptop.example.org\r\n']) {
      const read = readProxyHeader(Buffer.concat([header, Buffer.from(behind)]))
      assert.equal(read.kind, 'read')
      assert.equal(read.header.length, header.length)
      assert.equal(read.header.client === null ? null : `${read.header.client.address} ${read.header.client.port}`, client)
    }
  })

  test(`${what}, cut anywhere: waited for`, () => {
    for (let end = 0; end < header.length; end++) assert.equal(readProxyHeader(header.subarray(0, end)).kind, 'incomplete')
  })
}

for (const [what, header, why] of refused) {
  test(`${what}: refused, wherever it is cut`, () => {
    const answers = Array.from({ length: header.length + 1 }, (_, end) => readProxyHeader(header.subarray(0, end)))
    const first = answers.findIndex(({ kind }) => kind !== 'incomplete')
    const read = answers[first]
    assert.ok(read?.kind === 'malformed', 'it ends in a refusal')
    assert.match(read.detail, why)
    assert.deepEqual([...new Set(answers.slice(first).map(({ kind }) => kind))], ['malformed'], 'and stays refused')
  })
}

test('the longest first line is taken, and one octet more is not', () => {
  assert.equal(readProxyHeader(v1(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`)).kind, 'read')
})

test('no octets whatever are anything but one of the three answers, within the limit', () => {
  const beginnings = [Buffer.alloc(0), v1('PROXY '), v2(0x21, 0x11, Buffer.alloc(0), 40)]
  check(
    property(integer({ min: 0, max: 2 }), uint8Array({ maxLength: 300 }), (which, tail) => {
      const bytes = Buffer.concat([beginnings[which] ?? Buffer.alloc(0), tail])
      const read = readProxyHeader(bytes)
      if (read.kind === 'read') assert.ok(read.header.length <= Math.min(bytes.length, LONGEST_HEADER_OCTETS))
    }),
    { numRuns: 2000 },
  )
})
