import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintAccessMap } from './access-lint.ts'
import { parseAccessMap } from './access-map.ts'

/** Rules of the problems of a map, with their lines: `2 unknownValue`. */
function lint(text: string): readonly string[] {
  return lintAccessMap(parseAccessMap(text, 'access').map).map(({ line, rule }) => `${line} ${rule}`)
}

function suggestion(text: string): string | null | undefined {
  return lintAccessMap(parseAccessMap(text, 'access').map)[0]?.suggestion
}

const good = `
CERTISSUER:/O=Example/CN=Example+20CA SUBJECT
CERTSUBJECT:/O=Example/CN=Zo+5CxC3+5CxAB+20a+5C+2Bb RELAY
CERTSUBJECT:/O=Example/OU=Unit+2BCN=joe RELAY
Connect:10.1 RELAY
Connect:IPv6:2001:db8:1 REJECT
Connect:[192.0.2.66] REJECT
From:[192.0.2.66] REJECT
From:user+*@example.org ERROR:5.7.1:550 Go away
To:dest.example RELAY
192.0.2.7 OK
bulk@ REJECT
TLS_Clt: ENCR:128
TLS_Clt:10.9 OK
TLS_Srv:safe.example PERM+VERIFY:128+CN:mx.safe.example++CITag:MyCA
MyCA:/O=Example/CN=Other+20CA OK
TLS_Rcpt:user@safe.example VERIFY
Srv_Features:10 V
GreetPause:10 5000
`

test('a map without mistakes has none', () => assert.deepEqual(lint(good), []))

const mistakes: readonly (readonly [text: string, rule: string])[] = [
  ['Connect:10.1 RELLAY', '1 unknownValue'],
  ['Connect:10.1 RELAY please', '1 unknownValue'],
  ['Connect:10.1 RELAY\r', '1 carriageReturn'],
  ['Connect: 10.1 RELAY', '1 blankAfterTag'],
  ['CERTISSUER: /O=Example RELAY', '1 blankAfterTag'],
  ['Connect:10.0.0.0/8 RELAY', '1 cidr'],
  ['10.0.0.0/8 RELAY', '1 cidr'],
  ['Connect:IPv6:2001:db8::1 RELAY', '1 shortIpv6'],
  ['Connect:*.example.org RELAY', '1 wildcard'],
  ['To:*.example.org RELAY', '1 wildcard'],
  ['Connect:10.1. RELAY', '1 finalDot'],
  ['To:example.org. RELAY', '1 finalDot'],
  ['To:.example.org RELAY', '1 leadingDot'],
  ['Connect:joe@example.org REJECT', '1 connectAddress'],
  ['Connect:[192.0.2.66] RELAY', '1 bracketedRelay'],
  ['From:192.0.2.66 REJECT', '1 bareAddress'],
  ['From:example.org RELAY', '1 relayForSender'],
  ['To:joe@example.org RELAY', '1 relayForMailbox'],
  ['Conect:10.1 REJECT', '1 unknownTag'],
  ['CERTISSUER:/O=Example OK', '1 issuerValue'],
  ['CERTISSUER:/O=Example SUBJECT', '1 issuerWithoutSubjects'],
  ['CERTSUBJECT:/O=Example/CN=joe RELAY', '1 subjectWithoutIssuer'],
  ['CERTISSUER:/O=E SUBJECT\nCERTSUBJECT:/O=E/CN=joe REJECT', '2 subjectValue'],
  ['CERTISSUER:/O=E SUBJECT\nCERTSUBJECT:/O=E/CN=joe@example.org/ RELAY', '2 finalSlash'],
  ['CERTISSUER:C=US,O=Example RELAY', '1 nameForm'],
  ['CERTISSUER:/O=Example/CN="CA" RELAY', '1 unencoded'],
  ['CERTISSUER:/O=Zoë RELAY', '1 unencoded'],
  ['CERTISSUER:/O=Example/CN=a+b RELAY', '1 badEncoding'],
  ['CERTISSUER:/O=Example/CN=darth+2Bcert@example.org RELAY', '1 oldPlus'],
  [`CERTISSUER:/O=${'x'.repeat(250)} RELAY`, '1 keyTooLong'],
  [`CERTISSUER:/O=${'x'.repeat(242)} RELAY`, '1 keyAtLimit'],
  ['TLS_Clt:10.1 VERFIY', '1 requirementUnknown'],
  ['TLS_Clt:10.1 REJECT', '1 requirementUnknown'],
  ['TLS_Clt:10.1 ENCR', '1 requirementWithoutBits'],
  ['TLS_Clt:10.1 ENCR:abc', '1 requirementWithoutBits'],
  ['TLS_Clt:10.1 VERIFY:strong', '1 requirementWithoutBits'],
  ['TLS_Clt:10.1 VERIFY+CNN:x', '1 furtherUnknown'],
  ['TLS_Clt:10.1 VERIFY+CI', '1 furtherUnknown'],
  ['TLS_Clt:10.1 VERIFY+CI:/O=Example+CN:x', '1 singlePlus'],
]

for (const [text, rule] of mistakes) {
  test(`lint: ${text.length > 60 ? `${text.slice(0, 57)}...` : JSON.stringify(text)}`, () => assert.deepEqual(lint(text), [rule]))
}

test('what was probably meant', () => {
  assert.equal(suggestion('Connect:10.1 RELLAY'), 'RELAY')
  assert.equal(suggestion('Conect:10.1 REJECT'), 'Connect:10.1')
  assert.equal(suggestion('Connect:IPv6:2001:db8::1 RELAY'), 'IPv6:2001:db8:0:0:0:0:0:1')
  assert.equal(suggestion('CERTISSUER:/O=Zoë/CN=a(b) RELAY'), '/O=Zo+5CxC3+5CxAB/CN=a+28b+29')
  assert.equal(suggestion('CERTISSUER:/O=E/CN=darth+2Bcert RELAY'), '/O=E/CN=darth+5C+2Bcert')
})
