/**
 * What DNS said, for as long as it may be kept.
 *
 * Who asks by way of us also answers: a stranger's zone says as much as fits a DNS message, of as many
 * names as the stranger likes. So the bound is in octets and not in answers (S18).
 */

import type { DnsAnswer } from '../relay/ports.ts'

export type Reading<Value> = {
  readonly answer: DnsAnswer<Value>
  /** How long the answer may be kept. */
  readonly ttlSeconds: number
}

/** For each type of record, as `octetsOf` estimates them: some ten thousand answers of the usual size. */
export const MOST_REMEMBERED_OCTETS = 4 * 1024 * 1024

type Remembered<Value> = { readonly answer: DnsAnswer<Value>; readonly octets: number; readonly until: number }

/** Equal questions at one time are asked once, and answers are kept for as long as they may be, failures too. */
export function remembering<Value>(ask: (name: string) => Promise<Reading<Value>>): (name: string) => Promise<DnsAnswer<Value>> {
  const remembered = new Map<string, Remembered<Value>>()
  const underWay = new Map<string, Promise<DnsAnswer<Value>>>()
  let octets = 0
  const forget = (name: string): void => {
    octets -= remembered.get(name)?.octets ?? 0
    remembered.delete(name)
  }
  const keep = (name: string, { answer, ttlSeconds }: Reading<Value>): void => {
    forget(name)
    if (ttlSeconds <= 0) return
    const entry = { answer, octets: octetsOf(name, answer), until: performance.now() + ttlSeconds * 1000 }
    remembered.set(name, entry)
    octets += entry.octets
    // The oldest go; they are the likeliest to be out of date.
    for (const oldest of remembered.keys()) {
      if (octets <= MOST_REMEMBERED_OCTETS) break
      forget(oldest)
    }
  }
  return name => {
    const known = remembered.get(name)
    if (known !== undefined && known.until > performance.now()) return Promise.resolve(known.answer)
    const waiting = underWay.get(name)
    if (waiting !== undefined) return waiting
    const asked = ask(name).then(reading => {
      underWay.delete(name)
      keep(name, reading)
      return reading.answer
    })
    underWay.set(name, asked)
    return asked
  }
}

/** Its text, and what objects and the map need beside it. */
function octetsOf(name: string, answer: DnsAnswer<unknown>): number {
  const values = answer.kind === 'found' ? answer.values.length : 0
  return 200 + name.length + JSON.stringify(answer).length + 50 * values
}
