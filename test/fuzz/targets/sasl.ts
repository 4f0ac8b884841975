/**
 * SASL exchanges: whatever is answered, an exchange ends, nobody is logged in whom the keeper of the
 * passwords or a certificate does not vouch for, and no name holds what could end it early (S16).
 */

import assert from 'node:assert/strict'
import { mechanismsFor, PASSWORD_MECHANISMS, scriptOf } from '../../../src/core/sasl/mechanisms.ts'
import type { CredentialAnswer, CredentialQuestion, SaslFact } from '../../../src/core/sasl/script.ts'
import { callerNamed } from '../../decisions/people.ts'
import { judge } from '../../transcripts/passwords.ts'
import { END_OF_FLIGHT } from '../seeds.ts'
import type { FuzzTarget } from '../target.ts'

const { identity } = callerNamed('joe')
const HINTS = { scope: 'smtp', openidConfiguration: 'https://login.example.org/' }
const MECHANISMS = mechanismsFor(identity, { rule: 'any', byPassword: PASSWORD_MECHANISMS, byToken: HINTS })
/** No exchange of ours asks more often. */
const MOST_CHALLENGES = 3

/** RFC 7677 §3. */
const FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO'
const FINAL = 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='

export const target: FuzzTarget = {
  name: 'sasl',
  seeds: [
    [FIRST, FINAL, ''], [FIRST.replace('n,,', 'n,a=joe@example.org,'), FINAL], [FIRST.replace('n,', 'y,'), FINAL], [FIRST.replace('n,', 'p=tls-exporter,'), FINAL],
    ['\0user\0pencil'], ['joe@example.org\0user\0pencil'], ['user', 'pencil'], [''], ['joe@example.org'],
    ['n,a=joe@example.org,\x01host=mx.example.org\x01port=587\x01auth=Bearer vF9dft4qmTc2\x01\x01', '\x01'], ['user=joe@example.org\x01auth=Bearer vF9dft4qmTc2\x01\x01', ''],
  ].map(responses => Buffer.from(responses.join(END_OF_FLIGHT))),
  words: [END_OF_FLIGHT, 'n,,', 'y,,', 'p=tls-exporter,,', 'a=joe,', 'n=user,', 'r=', 'c=biws,', ',p=', '=2C', '=3D', 'user', 'pencil', 'm=x,', '\x01', '\x01\x01', 'auth=', 'auth=Bearer ', 'user='],
  check(input, random) {
    const responses = input.toString('latin1').split(END_OF_FLIGHT).map(text => Buffer.from(text, 'latin1'))
    const mechanism = MECHANISMS[random.between(0, MECHANISMS.length - 1)] ?? ''
    const script = scriptOf(mechanism, identity, HINTS)
    let vouched = mechanism === 'EXTERNAL'
    let challenges = 0
    let step = script.next()
    while (!step.done) {
      let fact: SaslFact
      if (step.value.kind === 'ask') {
        const answer = answerTo(step.value.question)
        vouched ||= answer.kind === 'loggedIn'
        fact = { kind: 'answered', answer }
      } else {
        assert.match(step.value.text, /^[ -~]*$/)
        assert.ok(++challenges <= MOST_CHALLENGES, 'an exchange ends')
        fact = { kind: 'responded', octets: responses.shift() ?? Buffer.alloc(0) }
      }
      step = script.next(fact)
    }
    if (!step.value.ok) return
    assert.ok(vouched, `${mechanism} logged in whom nobody vouched for`)
    assert.doesNotMatch(`${step.value.value.authenticationId}${step.value.value.authorizationId}`, /\p{Cc}/u)
  },
}

function answerTo(question: CredentialQuestion): CredentialAnswer {
  assert.doesNotMatch(question.attempt.login, /\0/)
  assert.doesNotMatch(question.attempt.wanted, /\0/)
  return judge(question)
}
