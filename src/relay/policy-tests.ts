/**
 * The `[[test]]` cases of postern.toml: what must stay true of the policy, whatever is changed.
 *
 * Run by `postern check` and before every reload. DNS is left out, so that a test fails only because
 * of what is written.
 *
 * A case about a person or machine who holds no certificate that counts is reported and holds
 * nothing back: revoking somebody must neither keep a relay from starting, nor keep out a file that
 * takes something from somebody else.
 */

import { keyLines } from '../core/config/key-lines.ts'
import type { Config, TestCase } from '../core/config/schema.ts'
import type { ClientIdentity } from '../core/names/identity.ts'
import { decidingEntry } from '../core/policy/advice.ts'
import type { Asker, Decision } from '../core/policy/decision.ts'
import type { Policy } from '../core/policy/policy.ts'
import { tryOutWithoutDns } from '../core/policy/trial.ts'
import { assert } from '../core/result.ts'
import { formatInstant } from '../core/time.ts'
import type { HolderRecord } from './admin.ts'
import { USUAL_TLS, identityOfHolder } from './holder-identity.ts'
import type { ReadCertificate } from './holder-identity.ts'

export type PolicyUnderTest = {
  readonly config: Config
  readonly policy: Policy
  /** For the lines of the cases. */
  readonly configText: string
  readonly configFile: string
  /** Of our own authority. */
  readonly holders: readonly HolderRecord[]
  readonly readCertificate: ReadCertificate
  readonly now: number
}

export type FailedTest = {
  /** One line: where it is written, what was expected and what came. */
  readonly text: string
  /** Settings that fail it are not to be used. */
  readonly holdsBack: boolean
}

export function failedPolicyTests(tested: PolicyUnderTest): readonly FailedTest[] {
  const { config, configText, configFile } = tested
  const lineOf = keyLines(configText)
  return config.tests.flatMap((testCase, index) => {
    const failure = failureOf(testCase, tested)
    return failure === null ? [] : [{ ...failure, text: `${configFile}:${lineOf(['test', index]) ?? 1}: test[${index}]: ${failure.text}` }]
  })
}

function failureOf(testCase: TestCase, { policy, holders, readCertificate, now }: PolicyUnderTest): FailedTest | null {
  const identity = identityNamed(testCase.as, holders, readCertificate, now)
  if (identity === null) return { text: `nobody named "${testCase.as}" holds a certificate; "postern user list" shows who does`, holdsBack: false }
  const decision = decisionFor(policy, testCase, identity)
  const came = decision.verdict
  const holds = testCase.expect === 'relay' ? came === 'accept' && decision.relay : came === testCase.expect
  if (holds) return null
  const { reply } = decision
  const entry = decidingEntry(decision.because)
  const why = [
    ...(reply === null ? [] : [`${reply.code} ${reply.enhanced} ${reply.text}`]),
    ...(entry === null ? [] : [`${entry.file}:${entry.line} ${entry.key} ${entry.value}`]),
  ].join('; ')
  const how = came === 'accept' && testCase.expect === 'relay' ? 'accept, because the recipient is ours and not because the client may relay' : came
  const asked = `${testCase.as} from <${testCase.from}> to <${testCase.to}>`
  const text = `${asked}: expected ${testCase.expect}, and the policy says ${how}${why === '' ? '' : ` (${why})`}, to a client at ${testCase.client} on ${testCase.listener}`
  const ended = endOf(identity)
  return ended === null ? { text, holdsBack: true } : { text: `${text}; ${testCase.as}'s certificate ${ended}: change the case, or take it out`, holdsBack: false }
}

/** How the certificate of a holder came to count no more; null if it counts, or if none was asked for. */
function endOf(identity: ClientIdentity): string | null {
  if (identity.kind !== 'unverified') return null
  const { problem } = identity
  return problem.kind === 'revoked' || problem.kind === 'expired' ? `${problem.kind === 'revoked' ? 'was revoked' : 'expired'} on ${formatInstant(problem.since)}` : 'does not count'
}

/** `anonymous` is TLS without a certificate. Null if the name is nobody's. */
function identityNamed(name: string, holders: readonly HolderRecord[], read: ReadCertificate, now: number): ClientIdentity | null {
  if (name === 'anonymous') return { kind: 'anonymous', tls: USUAL_TLS }
  const holder = holders.find(holder => holder.name.toLowerCase() === name.toLowerCase())
  return holder === undefined ? null : identityOfHolder(holder, read, now)
}

function decisionFor(policy: Policy, testCase: TestCase, identity: ClientIdentity): Decision {
  const asker: Asker = {
    listener: testCase.listener,
    host: { address: testCase.client, name: null },
    hello: 'test.invalid',
    identity,
    authentication: null,
  }
  const last = tryOutWithoutDns(policy, { asker, reversePath: testCase.from, forwardPath: testCase.to }, 'test').at(-1)
  assert(last !== undefined, 'a trial has at least one step')
  return last.decision
}
