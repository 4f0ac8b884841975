/** What a next hop is asked about a recipient; the notation is in test/support/client-scripts.ts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clear, play, sameText } from '../../../test/support/client-scripts.ts'
import { policyWith } from '../../../test/support/policies.ts'
import { callOut, deniesRecipient } from './client-callout.ts'
import { NO_EXTENSIONS } from './extensions.ts'

test('MAIL with the null sender, RCPT, and nothing of a message', () => {
  check('ann@b', `
    C: MAIL FROM:<>
    S: 250 2.1.0 ok
    C: RCPT TO:<ann@b>
    S: 250 2.1.5 ok
    => yes: 250 2.1.5 ok (mx, after RCPT)`)
})

test('a refused RCPT that is about the recipient is a no; its words are kept on one line', () => {
  check('ann@b', `
    C: MAIL FROM:<>
    S: 250 ok
    C: RCPT TO:<ann@b>
    S: 550-5.1.1 no such
    S: 550 5.1.1 user
    => no: 550 5.1.1 no such user (mx, after RCPT)`)
})

test('nothing else is', () => {
  for (const [reply, detail] of [
    ['S: 450 4.2.0 greylisted', '450 4.2.0 greylisted (mx, after RCPT)'],
    ['S: 554 5.7.1 go away', '554 5.7.1 go away (mx, after RCPT)'],
    ['* lost gone', 'connection to mx lost, after RCPT: gone'],
    ['S: hello', 'mx does not speak SMTP, after RCPT: "hello" is no reply'],
    ['S: 354 go on', '354 go on (mx, after RCPT)'],
  ]) check('ann@b', `
    C: MAIL FROM:<>
    S: 250 ok
    C: RCPT TO:<ann@b>
    ${reply}
    => unknown: ${detail}`)
})

test('a server that refuses the null sender says nothing of recipients', () => {
  check('ann@b', `
    C: MAIL FROM:<>
    S: 550 5.1.8 no bounces
    => unknown: 550 5.1.8 no bounces (mx, after MAIL)`)
})

test('a recipient that is not ASCII is asked about with SMTPUTF8 (RFC 6531 §3.4), or not at all', () => {
  check('žan@b', `
    C: MAIL FROM:<> SMTPUTF8
    S: 250 ok
    C: RCPT TO:<žan@b>
    S: 250 ok
    => yes: 250 ok (mx, after RCPT)`)
  check('žan@b', '=> cannotAsk: mx takes no internationalized messages (it does not offer SMTPUTF8)', { extensions: NO_EXTENSIONS })
})

test('who is named only where more has been proved is not named here', () => {
  check('ann@b', '=> unknown: 454 4.7.0 encryption too weak 0 less than 128 (our own rule for mx)', { access: 'TLS_Rcpt:ann@b ENCR:128' })
})

// prettier-ignore
const REPLIES = [
  ['550', null, true],     ['551', null, true],    ['553', null, true],     ['556', null, true],
  ['550', '5.1.1', true],  ['554', '5.1.1', true], ['550', '5.1.10', true], ['550', '5.4.1', true], ['550', '5.2.1', true], ['550', '5.0.0', true],
  ['554', null, false],    ['552', null, false],   ['500', null, false],    ['503', '5.5.1', false], ['521', null, false],
  ['550', '5.7.1', false], ['550', '5.7.27', false], ['553', '5.1.8', false], ['553', '5.1.7', false], ['552', '5.2.2', false], ['550', '5.2.2', false],
  ['450', '4.1.1', false], ['421', null, false],
] as const

for (const [code, enhanced, denies] of REPLIES) {
  test(`${code} ${enhanced ?? 'without a status'} ${denies ? 'says' : 'does not say'} that there is no such recipient`, () => {
    assert.equal(deniesRecipient({ code: Number(code), enhanced, lines: ['words'] }), denies)
  })
}

function check(forwardPath: string, source: string, { access = '', ...changes }: Partial<typeof clear> & { access?: string } = {}): void {
  const { seen, answer } = play(callOut({ ...clear, ...changes }, forwardPath), source, policyWith(access))
  sameText(`${seen}\n=> ${answer.says}: ${answer.detail}`, source)
}
