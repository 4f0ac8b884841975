import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reading } from './access-lint-finding.ts'
import { lintAccessMap } from './access-lint.ts'
import { MOST_PATTERNS } from './access-survey.ts'
import { formatAccessProblem, parseAccessMap } from './access-map.ts'

/** Rules of the problems of a map, with their lines: `2 unknownValue`; warnings in parentheses. */
function lint(text: string, reading: Reading = 'postern'): readonly string[] {
  return lintAccessMap(parseAccessMap(text, 'access').map, reading).map(({ line, rule, severity }) => (severity === 'error' ? `${line} ${rule}` : `(${line} ${rule})`))
}

function suggestion(text: string): string | null | undefined {
  return lintAccessMap(parseAccessMap(text, 'access').map, 'postern')[0]?.suggestion
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
From:bulk2@ REJECT
To:Postmaster@ REJECT
TLS_Clt: ENCR:128
TLS_Clt:10.9 OK
TLS_Srv:safe.example PERM+VERIFY:128+CN:mx.safe.example++CITag:MyCA
MyCA:/O=Example/CN=Other+20CA OK
TLS_Rcpt:user@safe.example VERIFY
Srv_Features:10 V A
GreetPause:10 5000
`

const ownKeys = `
CERTFP:${'ab'.repeat(32)} RELAY
certfp:${Array.from({ length: 32 }, () => 'CD').join(':')} REJECT
CERTSAN:joe@example.org OK
CERTSAN:@example.org RELAY
CERTSAN:web7.example.org RELAY
CERTSAN:spiffe://example.org/mailer RELAY
USER:joe ERROR:5.7.1:550 Call us
CERTISSUER~:/O=Example/** SUBJECT
CERTSUBJECT~:/O=Example/OU=a+2BCN=*.example.org RELAY
CERTSUBJECT:/O=Example/CN=joe RELAY
Connect:192.0.2.0/25 RELAY
Connect:2001:db8::/32 REJECT
`

test('a map without mistakes has none', () => {
  assert.deepEqual(lint(good), [])
  assert.deepEqual(lint(good, 'sendmail'), [])
  assert.deepEqual(lint(ownKeys), [])
})

test('proofs that nobody is asked for are named, where they would count', () => {
  const issuer = 'CERTISSUER:/O=Example/CN=CA RELAY\n'
  for (const reading of ['postern', 'sendmail'] as const) {
    assert.deepEqual(lint(`${issuer}Srv_Features: V\n`, reading), ['(2 proofWithheld)'])
    assert.deepEqual(lint(`Srv_Features: S R\n${issuer}`, reading), ['(1 proofWithheld)', '(1 proofWithheld)'])
    assert.deepEqual(lint(`${issuer}Srv_Features: v s A\nSrv_Features:10.1 V S\n`, reading), [])
    assert.deepEqual(lint('Connect:10.1 RELAY\nSrv_Features: V\n', reading), [])
  }
})

test('letters and keys that change nothing here are named', () => {
  assert.deepEqual(lint('Srv_Features:10 S v X q\nTLS_Srv_Features:10 CertFile=/x.pem;Flags=R\n'), ['1 notApplied', '1 notApplied', '2 notApplied', '2 notApplied'].map(found => `(${found})`))
  // A certificate of their own that these clients are not shown: no more in sendmail's reading.
  assert.deepEqual(lint('TLS_Srv_Features:10 CertFile=/x.pem; KeyFile=/x.key\n', 'sendmail'), ['(1 notApplied)', '(1 notApplied)'])
  assert.deepEqual(lint('Srv_Features:10 S v X q\n', 'sendmail'), [])
})

test('to sendmail, the keys of our own are no keys', () => {
  const rules = lint(ownKeys, 'sendmail')
  assert.deepEqual(rules.filter(rule => rule.endsWith('posternTag')).length, 9)
  assert.deepEqual(rules.filter(rule => rule.endsWith('cidr')), ['12 cidr', '13 cidr'])
})

const mistakes: readonly (readonly [text: string, rule: string])[] = [
  ['Connect:10.1 RELLAY', '1 unknownValue'],
  ['Connect:10.1 RELAY please', '1 unknownValue'],
  ['Connect: 10.1 RELAY', '1 blankAfterTag'],
  ['Connect: RELAY', '1 keyMissing'],
  ['From:@example.net REJECT', '1 domainAfterAt'],
  ['To:@example.org REJECT', '1 domainAfterAt'],
  ['To:list@ REJECT', '(1 localPartAlone)'],
  ['To:list@ RELAY', '(1 localPartAlone)'],
  ['CERTISSUER: /O=Example RELAY', '1 blankAfterTag'],
  ['From:10.0.0.0/8 REJECT', '1 cidr'],
  ['TLS_Clt:10.0.0.0/8 VERIFY', '1 cidr'],
  ['10.0.0.0/8 RELAY', '1 cidr'],
  ['Connect:IPv6:2001:db8::1 RELAY', '1 shortIpv6'],
  ['Connect:*.example.org RELAY', '1 wildcard'],
  ['To:*.example.org RELAY', '1 wildcard'],
  ['Connect:192.168.8.* RELAY', '1 wildcard'],
  ['192.168.*.* REJECT', '1 wildcard'],
  ['Connect:IPv6:2001:db8:* REJECT', '1 wildcard'],
  ['Connect:mail*.example.org REJECT', '1 wildcard'],
  ['From:joe@*.example.org REJECT', '1 wildcard'],
  ['CERTISSUER:/O=Example/CN=Example CA RELAY', '1 blankInName'],
  ['CERTISSUER:C=US, O=My Company, CN=My Root CA SUBJECT', '1 blankInName'],
  ['CERTISSUER:/O=E SUBJECT\nCERTSUBJECT:/O=E/CN=Joe User RELAY', '2 blankInName'],
  ['CERTSUBJECT~:/O=Example/CN=* Gateway REJECT', '1 blankInName'],
  ['CERTSUBJECT~:/O=Example/CN=* RELAY:@example.net, joe@example.com', ''],
  ['CERTSUBJECT~:/O=Example/CN=* ERROR:5.7.1:550 no RELAY', ''],
  ['Connect:10.1. RELAY', '1 finalDot'],
  ['To:example.org. RELAY', '1 finalDot'],
  ['To:.example.org RELAY', '1 leadingDot'],
  ['Connect:joe@example.org REJECT', '1 connectAddress'],
  ['Connect:[192.0.2.66] RELAY', '(1 bracketedRelay)'],
  ['From:192.0.2.66 REJECT', '1 bareAddress'],
  ['From:example.org RELAY', '(1 relayForSender)'],
  ['To:joe@example.org RELAY', '(1 relayForMailbox)'],
  ['Conect:10.1 REJECT', '1 unknownTag'],
  ['CERTISSUER:/O=Example OK', '1 issuerValue'],
  ['CERTISSUER:/O=Example SUBJECT', '(1 issuerWithoutSubjects)'],
  ['CERTSUBJECT:/O=Example/CN=joe RELAY', '1 subjectWithoutIssuer'],
  ['CERTISSUER:/O=E SUBJECT\nCERTSUBJECT:/O=E/CN=joe REJECT', '2 subjectValue'],
  ['CERTISSUER:/O=E SUBJECT\nCERTSUBJECT:/O=E/CN=joe@example.org/ RELAY', '2 finalSlash'],
  ['CERTISSUER:C=US,O=Example RELAY', '1 nameForm'],
  ['CERTISSUER:/O=Example/CN="CA" RELAY', '1 unencoded'],
  ['CERTISSUER:/O=Zoë RELAY', '1 unencoded'],
  ['CERTISSUER:/O=Example/CN=a+b RELAY', '1 badEncoding'],
  ['CERTISSUER:/O=Example/CN=darth+2Bcert@example.org RELAY', '(1 olderSpelling)'],
  ['CERTISSUER:/O=Example/CN=smtp/mx.example.org RELAY', '(1 olderSpelling)'],
  ['CERTISSUER:/C=US/O=Example/Email=ca@example.org RELAY', '1 attributeType'],
  ['CERTISSUER:/C=US/O=Example/ou=x+2Bsn=y/1.2.3.4=z RELAY', ''],
  [`CERTISSUER~:/O=${'x'.repeat(260)} RELAY`, ''],
  ['Connect:10.0.0.1/8 REJECT', '1 networkForm'],
  ['Connect:10/8 REJECT', '1 networkForm'],
  ['Connect:2001:db8::/32 OK\nConnect:IPv6:2001:db8:0::/32 REJECT', '2 duplicateNetwork'],
  ['2001:db8::/32 REJECT', '1 cidr'],
  ['2001:db8::1 REJECT', '1 untaggedIpv6'],
  ['CERTFP:AB:CD RELAY', '1 fingerprintForm'],
  [`CERTFP:${'ab'.repeat(20)} RELAY`, '1 fingerprintForm'],
  [`CERTFP:sha256:${'ab'.repeat(32)} RELAY`, '1 fingerprintForm'],
  [`CERTFP:${'ab'.repeat(32)} RELAY\nCERTFP:${Array.from({ length: 32 }, () => 'AB').join(':')} REJECT`, '2 duplicateFingerprint'],
  ['CERTSAN:*.example.org RELAY', '1 alternativeNameForm'],
  ['CERTSAN:DNS:web7.example.org RELAY', '1 alternativeNameForm'],
  ['CERTSAN:joe@ REJECT', '1 alternativeNameForm'],
  ['CERTSAN:*@example.org RELAY', '1 alternativeNameForm'],
  ['USER: joe REJECT', '1 blankAfterTag'],
  ['USER:joe REJCT', '1 identityValue'],
  ['USER:joe SUBJECT', '1 identityValue'],
  ['USER:joe RELAY:joe@example.net, @example.org', ''],
  ['USER:joe RELAY:example.net', '1 recipientList'],
  ['USER:joe RELAY:*@example.net', '1 recipientList'],
  ['Connect:10.1 RELAY:@example.net', '1 unknownValue'],
  ['CERTSUBJECT~:O=Example RELAY', '1 patternForm'],
  ['CERTSUBJECT~:/O=*a* RELAY', '1 patternForm'],
  ['CERTSUBJECT~:/Email=* RELAY', '1 attributeType'],
  ['To:joe@example.org FRIEND', '1 friendWord'],
  ['Srv_Features:10 VA', '1 featureLetters'],
  ['GreetPause:10 5s', '1 number'],
  ['GreetPause:10 999999', '(1 longPause)'],
  ['TLS_Srv_Features:10 Cipher=x', '1 tlsSettings'],
  ['TLS_Srv_Features:10.0.0.0/8 Options=SSL_OP_NO_TLSv1_3', '1 cidr'],
  ['TLS_Srv_Features:10 Options=SSL_OP_NO_TLSv1_3', ''],
  ['Try_TLS:mx.example.org FALSE', '1 tryTlsValue'],
  ['Connect=10.1 REJECT', '1 equalsSign'],
  ['Connect:http://example.org/ REJECT', '1 hostForm'],
  ['Connect:"example.org" REJECT', '1 hostForm'],
  ['example.org,example.net REJECT', '1 hostForm'],
  ['Connect:[192.0.2.7 REJECT', '1 brackets'],
  ['Connect:10.1.2.3.4 REJECT', '1 addressForm'],
  ['Connect:10.256 REJECT', '1 addressForm'],
  ['Connect:010.1 REJECT', '1 addressForm'],
  ['Connect:10.1-10.9 REJECT', '1 addressForm'],
  ['Connect:IPv6:2001:0db8 REJECT', '1 addressForm'],
  ['To:[IPv6:2001:db8:0:0:0:0:0:0:1] REJECT', '1 addressForm'],
  ['Connect:[2001:db8] REJECT', '1 untaggedIpv6'],
  ['Connect:IPv6:2001:DB8:0:1 REJECT', ''],
  ['To:[10.1] REJECT', ''],
  ['From:*@example.org REJECT', '1 wildcard'],
  ['From:<joe@example.org> REJECT', '1 localPartForm'],
  ['From:"joe"@example.org REJECT', '1 localPartForm'],
  ['From:joe@@example.org REJECT', '1 secondAt'],
  ['TLS_Rcpt:@example.org VERIFY', '1 domainAfterAt'],
  ['TLS_Srv:joe@example.org VERIFY', '1 peerAddress'],
  ['Srv_Features:joe@example.org V', '1 peerAddress'],
  ['ClientRate:host.example 5', '1 addressOnly'],
  ['ClientRate: 5', ''],
  ['\ufeffConnect:10.1 REJECT', '1 byteOrderMark'],
  ['müller.example REJECT\nxn--mller-kva.example OK', '1 duplicateSpelling'],
  ['To:xn--mller-kva.example REJECT\nTo:müller.example OK', '2 duplicateSpelling'],
  ['To:müller.example REJECT\nTo:MÜLLER.example OK', '2 duplicateSpelling'],
  ['To:müller.example REJECT\nFrom:müller.example OK', ''],
  ['CERTISSUER:/O=+C3+A9 RELAY', '1 bareByte'],
  ['CERTISSUER:/O=a%20b RELAY', '(1 percentEncoding)'],
  ['CERTISSUER:/CN=x,O=y RELAY', '(1 commaInName)'],
  ['CERTISSUER:/O=x/CN=* RELAY', '(1 starInName)'],
  ['CERTISSUER:/O=x/CN=*.example.org RELAY', ''],
  ['Spam:joe@example.org FREIND', '1 friendValue'],
  ['Spam:joe@example.org HATER', ''],
  ['Connect:10.1 ERROR:4.7.1:550 no', '(1 replyClass)'],
  ['Connect:10.1 250 fine', '1 unknownValue'],
  ['TLS_Clt:10.1 ENCR:0128', '1 requirementBits'],
  ['TLS_Clt:10.1 VERIFY:128x', '1 requirementBits'],
  ['TLS_Clt:10.1 ENCR:0', '1 requirementBits'],
  ['TLS_Clt:10.1 VERIFY+CN:x++', '1 furtherUnknown'],
  ['TLS_Clt:10.1 VERIFY+CS:++CN:x', '1 furtherUnknown'],
  ['TLS_Clt:10.1 VERIFY+CITag:MyCA', '(1 issuerTagMissing)'],
  ['TLS_Clt:10.1 VERIFY+CN:*.example.org', '(1 starInName)'],
  [`TLS_Clt:10.1 VERIFY+CN:${'x'.repeat(255)}`, '1 nameTooLong'],
  ['ClientRate:10 many', '1 number'],
  ['ClientRate:10 010', '1 number'],
  ['ClientConn:10 5x', '1 number'],
  ['ClientConn:10 0', ''],
  ['From:example.org QUARANTINE:', '1 unknownValue'],
  ['TLS_Clt_Features:mx.example.org "CipherList=HIGH; Flags=C"', ''],
  ['TLS_Clt_Features:mx.example.org HIGH', '1 tlsSession'],
  ['TLS_Clt_Features:mx.example.org Flags=R', '1 tlsSession'],
  ['TLS_Clt_Features: Flags=C', '1 keyMissing'],
  ['TLS_Clt: VERIFY+CITag:MyCA\nMyCA:/O=Example YES', '2 issuerTagValue'],
  ['TLS_Clt: VERIFY+CI:/O=Example/Email=x', '1 attributeType'],
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
  const name = text.length > 60 ? `${text.slice(0, 57)}...` : JSON.stringify(text)
  test(`lint: ${name}`, () => assert.deepEqual(lint(text).filter(found => !found.endsWith('notApplied)')), rule === '' ? [] : [rule]))
}

test('a name that is longer than what sendmail keeps of one', () => {
  const name = `/CN=${'+20'.repeat(60)}${'x'.repeat(50)}`
  assert.deepEqual(lint(`CERTISSUER:${name} RELAY`), [])
  assert.deepEqual(lint(`TLS_Clt: VERIFY+CS:/O=${'x'.repeat(253)}`), ['1 nameTooLong'])
})

test('more patterns than are tried', () => {
  const pattern = (at: number): string => `CERTSUBJECT~:/CN=*.h${at}.example REJECT\n`
  const patterns = (count: number): string => Array.from({ length: count }, (_, at) => pattern(at)).join('')
  assert.deepEqual(lint(patterns(MOST_PATTERNS)), [])
  assert.deepEqual(lint(patterns(MOST_PATTERNS + 2)), [`${MOST_PATTERNS + 1} tooManyPatterns`])
})

// prettier-ignore
const meant: readonly (readonly [text: string, suggestion: string])[] = [
  ['Connect:10.1 RELLAY',                         'RELAY'],
  ['Conect:10.1 REJECT',                          'Connect:10.1'],
  ['Connect: 10.1 REJECT',                        'Connect:10.1'],
  ['Connect:10.1/16 REJECT',                      'Connect:10.1.0.0/16'],
  ['10.1.0.0/16 REJECT',                          'Connect:10.1.0.0/16'],
  ['Connect:IPv6:2001:db8::1 RELAY',              'Connect:IPv6:2001:db8:0:0:0:0:0:1'],
  ['Connect:IPv6:2001:db8:: RELAY',               'Connect:IPv6:2001:db8'],
  ['To:*.example.org REJECT',                     'To:example.org'],
  ['Connect:192.168.8.* RELAY',                   'Connect:192.168.8'],
  ['Connect:192.168.*.* RELAY',                   'Connect:192.168'],
  ['Connect:IPv6:2001:db8:* REJECT',              'Connect:IPv6:2001:db8'],
  ['CERTISSUER:/O=My Org/CN=Example CA RELAY',    'CERTISSUER:/O=My+20Org/CN=Example+20CA RELAY'],
  ['CERTISSUER:C=US, O=My Org, CN=CA RELAY',      'CERTISSUER:/C=US/O=My+20Org/CN=CA RELAY'],
  ['CERTISSUER:/O=Zoë/CN=a(b) RELAY',             'CERTISSUER:/O=Zo+5CxC3+5CxAB/CN=a+28b+29'],
  ['CERTISSUER:C=US,O=Example RELAY',             'CERTISSUER:/C=US/O=Example'],
  ['CERTISSUER:/O=E/CN=darth+2Bcert RELAY',       'CERTISSUER:/O=E/CN=darth+5C+2Bcert'],
  ['CERTISSUER:/O=E/Email=ca@example.org RELAY',  'CERTISSUER:/O=E/emailAddress=ca@example.org'],
  ['CERTISSUER:/O=E REALY',                       'RELAY'],
  ['TLS_Clt: VERFIY:128',                         'VERIFY:128'],
  ['TLS_Clt: PREM+VERIFY',                        'PERM+VERIFY'],
  ['USER:joe REJCT',                              'REJECT'],
  ['Connect=10.1 REJECT',                         'Connect:10.1'],
  ['Connect:http://example.org/x REJECT',         'Connect:example.org'],
  ['Connect:010.001 REJECT',                      'Connect:10.1'],
  ['Connect:IPv6:2001:0db8 REJECT',               'Connect:IPv6:2001:db8'],
  ['From:<joe@example.org> REJECT',               'From:joe@example.org'],
  ['CERTISSUER:/O=+C3+A9 RELAY',                  'CERTISSUER:/O=+5CxC3+5CxA9'],
  ['TLS_Clt:10.1 PERM+ENCR:0128',                 'PERM+ENCR:128'],
  ['Spam:joe@example.org FREIND',                 'FRIEND'],
  ['CERTSAN:DNS:web7.example.org RELAY',          'CERTSAN:web7.example.org'],
]

for (const [text, expected] of meant) {
  test(`what was probably meant by ${text}`, () => assert.equal(suggestion(text), expected))
}

test('a problem in words names the line, what sendmail does and what was meant', () => {
  const [problem] = lintAccessMap(parseAccessMap('# x\nConnect:10.1 RELLAY\n', 'access').map)
  assert.equal(problem === undefined ? null : formatAccessProblem(problem), 'access:2: "RELLAY" is no keyword: sendmail refuses with 553 5.3.0; did you mean RELAY?')
})
