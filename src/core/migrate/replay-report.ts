/**
 * What the old log has shown, in words: how many decisions are the same, and each that is not.
 */

import type { Difference, LoggedDecision, ReplayCounts } from './replay.ts'
import { formatPlace, shownWhole } from './report.ts'

export type ReplayResult = { readonly counts: ReplayCounts; readonly differences: readonly Difference[] }

export function renderReplay({ counts, differences }: ReplayResult): readonly string[] {
  const left = [...counts.left].map(([why, count]) => `${count} ${count === 1 ? 'line' : 'lines'}: ${why}`)
  return [
    'The old log',
    '',
    ...(left.length === 0 ? [] : ['  Not asked for again', ...left.map(line => `    ${line}`), '']),
    ...(differences.length === 0 ? [`  ${countsOf(counts)}`, ''] : ['  Decisions that would differ', '', ...differences.flatMap(difference => [...render(difference).map(line => (line === '' ? '' : `    ${line}`)), ''])]),
  ]
}

export function countsOf({ replayed, same, different }: ReplayCounts): string {
  return `${replayed} ${replayed === 1 ? 'decision' : 'decisions'} of the log asked for again: ${same} the same, ${different} different`
}

function render({ logged, decision, reasons, times }: Difference): readonly string[] {
  const { from, accepted, outcome, authentication } = logged
  const reply = decision.reply === null ? '' : `: ${decision.reply.code} ${decision.reply.enhanced} ${decision.reply.text}`
  return [
    `${formatPlace(from)}  ${shownWhole(from.text)}`,
    `  then: ${accepted ? 'accepted' : 'refused'}${accepted ? '' : `: ${shownWhole(outcome)}`}; now: ${NOW[decision.verdict]}${reply}${times === 1 ? '' : ` (${times} times)`}`,
    `  ${whoOf(logged)}${authentication === null ? '' : `; it had logged in with ${shownWhole(authentication)}`}`,
    ...reasons.map(reason => (reason === '' ? '' : `  ${reason}`)),
  ]
}

/** The client, and what was asked, as far as the log line itself may not say it. */
function whoOf({ client, identity, listener, reversePath, forwardPath }: LoggedDecision): string {
  const { name } = client
  const host = name.resolve === 'OK' ? `${name.name} [${client.address}]` : `[${client.address}]`
  const proved = identity.kind === 'verified' ? `with the certificate ${identity.names?.subject ?? ''} of ${identity.names?.issuer ?? ''}` : PROVED[identity.kind]
  const to = forwardPath === null ? '' : ` to <${forwardPath}>`
  return shownWhole(`${host} ${proved}, on ${listener}, from <${reversePath}>${to}`)
}

const NOW = { accept: 'accepted', refuse: 'refused', discard: 'accepted, to be dropped', quarantine: 'accepted, to be held' } as const

const PROVED = { plaintext: 'without TLS', anonymous: 'without a certificate', unverified: 'with a certificate that was not verified' } as const
