/**
 * TLS with a next hop as the access map has it, by sendmail's table of what a server may answer. The
 * notation is in test/support/client-scripts.ts; greeting without a map is in client-session.test.ts.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDelivery, checkGreeting, clear, modern } from '../../../test/support/client-scripts.ts'

const VERIFY = 'TLS_Srv:mx VERIFY'
const LINE = '[access:1 TLS_Srv:mx VERIFY]'

const UNUSED = `
    S: 220 mx
    C: EHLO us
    S: 250-mx
    S: 250 STARTTLS`
const OFFERED = `${UNUSED}
    C: STARTTLS`
const SECURED = `${OFFERED}
    S: 220 go
    * tls`
const AGAIN = `
    C: EHLO us
    S: 250 mx`
const NOT_OFFERED = `
    S: 220 mx
    C: EHLO us
    S: 250 mx`

test('without a line nothing more is asked than the terms of the next hop do', () => {
  for (const access of ['', 'TLS_Srv:other VERIFY', 'TLS_Srv:mx OK\nTLS_Srv: VERIFY']) {
    const line = access.includes('OK') ? ' [access:1 TLS_Srv:mx OK]' : ''
    checkGreeting({ access }, `${NOT_OFFERED}\n=> ready, in clear${line}`)
    checkGreeting({ access }, `${OFFERED}\nS: 454 not now\n=> ready, in clear${line}`)
    checkGreeting({ access }, `${OFFERED}\nS: 554 never\n=> ready, in clear${line}`)
    checkGreeting({ access }, `${SECURED} its chain ends nowhere${AGAIN}\n=> ready, TLSv1.3${line}`)
    checkGreeting({ access }, `${SECURED} verified${AGAIN}\n=> ready, TLSv1.3, verified${line}`)
  }
})

for (const [what, source, refusal] of [
  ['STARTTLS is not offered', NOT_OFFERED, 'other side does not support STARTTLS (our own rule for mx: it does not offer STARTTLS)'],
  ['4yz to STARTTLS', `${OFFERED}\nS: 454 not now`, 'authentication failure (our own rule for mx: STARTTLS was answered by "454 not now")'],
  ['5yz to STARTTLS', `${OFFERED}\nS: 554 never`, 'other side does not support STARTTLS (our own rule for mx: STARTTLS was answered by "554 never")'],
  ['no answer to STARTTLS', `${OFFERED}\nS: 250 fine`, 'STARTTLS failed. (our own rule for mx: STARTTLS was answered by "250 fine")'],
  ['a certificate of nobody that is known', `${SECURED} its chain ends nowhere`, 'authentication failed (our own rule for mx: its chain ends nowhere)'],
] as const)
  test(`TLS_Srv: VERIFY: ${what}: it waits, and PERM+ makes it bounce`, () => {
    checkGreeting({ access: VERIFY }, `${source}\n=> 454 4.7.0 ${refusal} ${LINE}`)
    checkGreeting({ access: 'TLS_Srv:mx TEMP+VERIFY' }, `${source}\n=> 403 4.7.0 ${refusal} [access:1 TLS_Srv:mx TEMP+VERIFY]`)
    checkGreeting({ access: 'TLS_Srv: PERM+VERIFY' }, `${source}\n=> 503 5.7.0 ${refusal} [access:1 TLS_Srv: PERM+VERIFY]`)
  })

test('TLS_Srv: VERIFY asks for no host name, unless CN does', () => {
  checkGreeting({ access: VERIFY }, `${SECURED} misnamed${AGAIN}\n=> ready, TLSv1.3 ${LINE}`)
  checkGreeting({ access: 'TLS_Srv:mx VERIFY+CN' }, `${SECURED} misnamed
    => 454 4.7.0 certificate name does not match (our own rule for mx: misnamed) [access:1 TLS_Srv:mx VERIFY+CN]`)
  checkGreeting({ access: 'TLS_Srv:mx VERIFY+CN' }, `${SECURED} verified${AGAIN}\n=> ready, TLSv1.3, verified [access:1 TLS_Srv:mx VERIFY+CN]`)
})

test('TLS_Srv: bits, and what the certificate says, count without a chain where the line says ENCR', () => {
  checkGreeting({ access: 'TLS_Srv:mx ENCR:512' }, `${SECURED} verified
    => 454 4.7.0 encryption too weak 256 less than 512 (our own rule for mx) [access:1 TLS_Srv:mx ENCR:512]`)
  checkGreeting({ access: 'TLS_Srv:mx ENCR:128+CI:/CN=CA' }, `${SECURED} nobody${AGAIN}\n=> ready, TLSv1.3 [access:1 TLS_Srv:mx ENCR:128+CI:/CN=CA]`)
  checkGreeting({ access: 'TLS_Srv:mx ENCR:1' }, `${NOT_OFFERED}
    => 454 4.7.0 encryption too weak 0 less than 1 (our own rule for mx: it does not offer STARTTLS) [access:1 TLS_Srv:mx ENCR:1]`)
})

test('a failed handshake: the line is asked about the connection in clear that follows, or at once if none does', () => {
  const broken = `${OFFERED}\nS: 220 go\n* broken alert`
  checkGreeting({ access: VERIFY }, `${broken}\n=> no TLS with mx: alert`)
  checkGreeting({ access: VERIFY, clearBecause: 'alert' }, `${NOT_OFFERED}\n=> 454 4.7.0 STARTTLS disabled locally (our own rule for mx: alert) ${LINE}`)
  checkGreeting({ access: 'TLS_Srv:mx OK', clearBecause: 'alert' }, `${NOT_OFFERED}\n=> ready, in clear [access:1 TLS_Srv:mx OK]`)
  const strict = { tls: 'encrypt', fallsBack: false } as const
  checkGreeting({ access: 'TLS_Srv: PERM+VERIFY', ...strict }, `${broken}
    => 503 5.7.0 TLS handshake failed. (our own rule for mx: alert) [access:1 TLS_Srv: PERM+VERIFY]`)
  checkGreeting({ access: '', ...strict }, `${broken}\n=> no TLS with mx: alert`)
})

test('S4: what somebody injects before the handshake is nobody\'s reason to bounce', () => {
  checkGreeting({ access: 'TLS_Srv: PERM+VERIFY', fallsBack: false }, `${OFFERED}\nS: 220 go\n* injected more\n=> no TLS with mx: more`)
})

test('a server that closes instead of answering STARTTLS says nothing about its TLS', () => {
  checkGreeting({ access: 'TLS_Srv: PERM+VERIFY' }, `${OFFERED}\nS: 421 4.3.2 going down\n=> 421 4.3.2 going down (mx, after STARTTLS)`)
  checkGreeting({ access: 'TLS_Srv: PERM+VERIFY' }, `${OFFERED}\n* lost reset\n=> connection to mx lost, after STARTTLS: reset`)
})

test('Try_TLS: NO: STARTTLS is not used; an exact line exempts', () => {
  checkGreeting({ access: 'Try_TLS: NO' }, `${UNUSED}\n=> ready, in clear [access:1 Try_TLS: NO]`)
  checkGreeting({ access: 'Try_TLS: NO\nTry_TLS:mx YES' }, `${SECURED} verified${AGAIN}\n=> ready, TLSv1.3, verified [access:2 Try_TLS:mx YES]`)
  checkGreeting({ access: 'Try_TLS:192.0 no\nTLS_Srv: PERM+VERIFY' }, `${UNUSED}
    => 503 5.7.0 other side does not support STARTTLS (our own rule for mx: the access map says not to use STARTTLS with it) [access:1 Try_TLS:192.0 no] [access:2 TLS_Srv: PERM+VERIFY]`)
})

test('a TLS_Clt_Features line that cannot be followed: nothing is sent, and TLS_Srv says for how long', () => {
  const tlsLine = { text: 'access:7 TLS_Clt_Features:mx Flags=R', unusable: 'no such flag' }
  checkGreeting({ tlsLine }, `${UNUSED}\n=> no TLS with mx: no such flag [${tlsLine.text}]`)
  checkGreeting({ tlsLine, access: 'TLS_Srv:mx OK' }, `${UNUSED}\n=> 454 4.7.0 STARTTLS temporarily not possible. (our own rule for mx: no such flag) [${tlsLine.text}] [access:1 TLS_Srv:mx OK]`)
  checkGreeting({ tlsLine, access: 'TLS_Srv: PERM+VERIFY', implicitTls: true, fallsBack: false },
    `=> 503 5.7.0 STARTTLS temporarily not possible. (our own rule for mx: no such flag) [${tlsLine.text}] [access:1 TLS_Srv: PERM+VERIFY]`)
  checkGreeting({ tlsLine, access: 'Try_TLS:mx NO' }, `${UNUSED}\n=> ready, in clear [access:1 Try_TLS:mx NO]`)
  checkGreeting({ tlsLine: { ...tlsLine, unusable: null } }, `${SECURED} verified${AGAIN}\n=> ready, TLSv1.3, verified [${tlsLine.text}]`)
})

test('S5: the strictest of map and settings wins', () => {
  checkGreeting({ access: 'Try_TLS: NO', tls: 'encrypt', fallsBack: false }, `${UNUSED}
    => no TLS with mx: the access map says not to use STARTTLS with it, and TLS is required [access:1 Try_TLS: NO]`)
  checkGreeting({ access: 'TLS_Srv:mx OK', tls: 'verify', fallsBack: false }, `${SECURED} misnamed
    => no verified TLS with mx: misnamed [access:1 TLS_Srv:mx OK]`)
  checkGreeting({ access: VERIFY, tls: 'verify', fallsBack: false }, `${SECURED} misnamed
    => no verified TLS with mx: misnamed ${LINE}`)
  checkGreeting({ access: VERIFY, tls: 'none', fallsBack: false }, `${NOT_OFFERED}
    => 454 4.7.0 other side does not support STARTTLS (our own rule for mx: the settings for this next hop say to use none) ${LINE}`)
})

test('implicit TLS is judged by the same lines; Try_TLS is about STARTTLS', () => {
  const implicit = { implicitTls: true, fallsBack: false }
  checkGreeting({ access: VERIFY, ...implicit }, `* tls nobody\n=> 454 4.7.0 authentication failed (our own rule for mx: nobody) ${LINE}`)
  checkGreeting({ access: 'Try_TLS: NO', ...implicit }, `* tls verified${NOT_OFFERED}\n=> ready, TLSv1.3, verified`)
  checkGreeting({ access: 'TLS_Srv: PERM+ENCR:1', ...implicit }, `* broken alert
    => 503 5.7.0 TLS handshake failed. (our own rule for mx: alert) [access:1 TLS_Srv: PERM+ENCR:1]`)
})

test('TLS_Rcpt: a recipient is named only where enough has been proved, and the others are not kept waiting', () => {
  const access = 'TLS_Rcpt:secret@b PERM+VERIFY\nTLS_Rcpt:c VERIFY'
  const next = checkDelivery({ access, forwardPaths: ['secret@b', 'ann@b', 'bob@x.c'] }, {}, `
    C: MAIL FROM:<joe@a> SIZE=99
    C: RCPT TO:<ann@b>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: (message)
    S: 250 taken
    => refused: 503 5.7.0 other side does not support STARTTLS (our own rule for mx) [access:1 TLS_Rcpt:secret@b PERM+VERIFY]
    => delivered: 250 taken (mx)
    => deferred: 454 4.7.0 other side does not support STARTTLS (our own rule for mx) [access:2 TLS_Rcpt:c VERIFY]`)
  assert.deepEqual(next, { next: 'reuse', wentAway: false })
})

test('TLS_Rcpt: with nobody left nothing is said at all', () => {
  const next = checkDelivery({ access: 'TLS_Rcpt: TEMP+VERIFY', forwardPaths: ['ann@b'] }, {}, `
    => deferred: 403 4.7.0 other side does not support STARTTLS (our own rule for mx) [access:1 TLS_Rcpt: TEMP+VERIFY]`)
  assert.deepEqual(next, { next: 'reuse', wentAway: false })
})

test('TLS_Rcpt: CN is the name of the server, and what is met is said, too', () => {
  const verified = { ...clear.server, verify: 'OK', cipherBits: 256 }
  checkDelivery({ access: 'TLS_Rcpt:b VERIFY+CN' }, { server: { ...verified, cnSubject: 'other' } }, `
    => deferred: 454 4.7.0 certificate name does not match (our own rule for mx) [access:1 TLS_Rcpt:b VERIFY+CN]`)
  checkDelivery({ access: 'TLS_Rcpt:b VERIFY+CN' }, { server: { ...verified, cnSubject: 'MX' }, accessLines: ['access:9 Try_TLS:mx YES'] }, `
    C: MAIL FROM:<joe@a> SIZE=99
    C: RCPT TO:<ann@b>
    C: DATA
    S: 250 ok
    S: 550 no
    S: 554 no
    => refused: 550 no (mx, after RCPT) [access:9 Try_TLS:mx YES] [access:1 TLS_Rcpt:b VERIFY+CN]`)
})

test('REQUIRETLS: a server that cannot is refused for good, one that proves nothing now is waited for (RFC 8689 §4.2.1)', () => {
  const required = { tls: 'verify', requireTls: true, fallsBack: false } as const
  const none = '=> mx offers no TLS, which the sender requires'
  checkGreeting(required, `${NOT_OFFERED}\n${none}`)
  checkGreeting(required, `${OFFERED}\nS: 554 never\n${none}`)
  checkGreeting(required, `${OFFERED}\nS: 454 not now\n=> no TLS with mx: STARTTLS was answered by "454 not now", and TLS is required`)
  checkGreeting(required, `${SECURED} misnamed\n=> no verified TLS with mx: misnamed`)
  checkGreeting(required, `${SECURED} verified${AGAIN}
    => mx does not promise TLS for the rest of the way (it does not offer REQUIRETLS), which the sender requires`)
  checkGreeting(required, `${SECURED} verified
    C: EHLO us
    S: 250-mx
    S: 250 REQUIRETLS
    => ready, TLSv1.3, verified`)
  checkGreeting({ ...required, access: 'Try_TLS: NO' }, `${UNUSED}
    => no TLS with mx: the access map says not to use STARTTLS with it, and TLS is required [access:1 Try_TLS: NO]`)
  checkGreeting({ ...required, access: VERIFY }, `${NOT_OFFERED}
    => 454 4.7.0 other side does not support STARTTLS (our own rule for mx: it does not offer STARTTLS, and TLS is required) ${LINE}`)
})

test('REQUIRETLS is said to a server that offers it and has proved its name, and to no other', () => {
  const requireTls = { tls: 'required' } as const
  const offers = { extensions: { ...modern, requireTls: true } }
  const said = `
    C: RCPT TO:<ann@b>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: (message)
    S: 250 taken
    => delivered: 250 taken (mx)`
  const refused = '=> refused: mx does not promise TLS for the rest of the way (it does not offer REQUIRETLS), which the sender requires'
  checkDelivery(requireTls, { ...offers, isVerified: true }, `C: MAIL FROM:<joe@a> SIZE=99 REQUIRETLS${said}`)
  checkDelivery(requireTls, offers, refused)
  checkDelivery(requireTls, { isVerified: true }, refused)
  checkDelivery({}, { ...offers, isVerified: true }, `C: MAIL FROM:<joe@a> SIZE=99${said}`)
  // RFC 8689 §5: a report is not lost for want of it.
  checkDelivery({ tls: 'encrypted', reversePath: '' }, { isVerified: true }, `C: MAIL FROM:<> SIZE=99${said}`)
  checkDelivery({ tls: 'encrypted', reversePath: '' }, { ...offers, isVerified: true }, `C: MAIL FROM:<> SIZE=99 REQUIRETLS${said}`)
})

test('a server with our own name is ourselves, and gets nothing', () => {
  const ownNames = new Set(['relay.example.org'])
  for (const reply of ['250 Relay.Example.Org', '250-relay.example.org hello us\n    S: 250 STARTTLS']) {
    checkGreeting({ ownNames }, `
      S: 220 welcome
      C: EHLO us
      S: ${reply}
      => mx answers with our own name, so that mail would go in circles; set the next hop right, or give one of the two another hostname`)
  }
  checkGreeting({ ownNames: new Set(['localhost']) }, `
    S: 220 localhost
    C: EHLO us
    S: 250 localhost
    => ready, in clear`)
  checkGreeting({ ownNames }, `
    S: 220 relay.example.org
    C: EHLO us
    S: 250 relay.example.org.example.net
    => ready, in clear`)
})
