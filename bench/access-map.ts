/**
 * How long a large access map takes to read, check and ask, and how much memory it holds.
 *
 *     node bench/access-map.ts [ENTRIES]       one million by default
 *
 * The map is made up of all kinds of keys, with 32,768 networks and 1000 patterns among them. Every
 * answer is compared with what the map was made to say.
 */

import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { defaultConfig } from '../src/core/config/parse.ts'
import type { ClientIdentity } from '../src/core/names/identity.ts'
import { formatAccessProblem } from '../src/core/policy/access-map.ts'
import { decide } from '../src/core/policy/decide.ts'
import type { Asker, Question } from '../src/core/policy/decision.ts'
import type { Policy } from '../src/core/policy/policy.ts'
import { accessProblems, policyOf } from '../src/relay/policy-holder.ts'

const NETWORKS = 32_768
const PATTERNS = 1000
const QUESTIONS = 20_000

const { positionals } = parseArgs({ allowPositionals: true })
const entries = Number(positionals[0] ?? 1_000_000)
const config = defaultConfig('mx.example.org')
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const accessText = madeUpMap(entries)
const source = { accessText, accessFile: 'access' }
say('file', `${entries} entries, ${megabytes(accessText.length)}`)

const before = memory()
const { result: policy, milliseconds: loading } = timed(() => policyOf(config, source))
const after = memory()
say('load', `${loading.toFixed(0)} ms, ${megabytes(after.heap - before.heap)} of heap beside the text; resident ${megabytes(after.resident)}`)

const { result: problems, milliseconds: checking } = timed(() => accessProblems(config, source))
say('check', `${checking.toFixed(0)} ms, ${problems.length} problems`)
if (problems[0] !== undefined) throw new Error(formatAccessProblem(problems[0]))

ask('an address that is listed', at => byAddress(`10.${at % 200}.${(at >> 3) % 250}.${at % 250}`), null)
ask('an address in a network', at => byAddress(`172.${16 + (at % 16)}.${(at * 8) % 256}.9`), 'refuse')
ask('an address in none', at => byAddress(`198.51.100.${at % 250}`), 'accept')
ask('a certificate by fingerprint', at => byCertificate(fingerprint(at % 1000), '/CN=x'), 'accept')
ask('a certificate by its subject', at => byCertificate('', `/O=Example/CN=client${at % 1000}`), 'accept')
ask('a certificate by the last pattern', () => byCertificate('', `/O=Example/OU=Group${PATTERNS - 1}/CN=a.example.org`), 'accept')
ask('a certificate by nothing', () => byCertificate('', '/O=Other/CN=nobody'), 'refuse')

function madeUpMap(count: number): string {
  const lines = ['CERTISSUER:/O=Example/CN=CA SUBJECT']
  for (let at = 0; at < PATTERNS; at += 1) lines.push(`CERTSUBJECT~:/O=Example/OU=Group${at}/CN=*.example.org RELAY`)
  for (let at = 0; at < NETWORKS; at += 1) lines.push(`Connect:172.${16 + (at >> 11)}.${(at >> 3) & 0xff}.${(at & 7) << 5}/27 REJECT`)
  const kinds: readonly ((at: number) => string)[] = [
    at => `Connect:10.${at >> 16}.${(at >> 8) & 0xff}.${at & 0xff} REJECT`,
    at => `From:spammer${at}@bulk${at % 977}.example REJECT`,
    at => `To:former${at}@example.org ERROR:5.1.1:550 That address has moved`,
    at => `CERTSUBJECT:/O=Example/CN=client${at} RELAY`,
    at => `CERTFP:${fingerprint(at)} RELAY`,
  ]
  for (let at = 0; lines.length < count; at += 1) lines.push(kinds[at % kinds.length]?.(Math.floor(at / kinds.length)) ?? '')
  return `${lines.join('\n')}\n`
}

function fingerprint(at: number): string {
  return at.toString(16).padStart(64, '0')
}

function byAddress(address: string): Question {
  return { kind: 'connection', asker: asker(address, { kind: 'plaintext' }) }
}

function byCertificate(hash: string, subject: string): Question {
  const certificate = { subject, issuer: '/O=Example/CN=CA', cnSubject: '', cnIssuer: '', fingerprint: hash, keyFingerprint: '', serial: '1', notBefore: 0, notAfter: 0, addresses: [], dnsNames: [], uris: [] }
  const identity: ClientIdentity = { kind: 'verified', tls: { version: 'TLSv1.3', cipher: '', cipherBits: 256 }, certificate, holder: null }
  return { kind: 'recipient', asker: asker('198.51.100.9', identity), reversePath: 'a@b.example', forwardPath: 'ann@dest.example' }
}

function asker(address: string, identity: ClientIdentity): Asker {
  return { listener: 'mx', host: { address, name: { resolve: 'FAIL' } }, hello: 'c.example', identity, authentication: null }
}

/** `expected` null: either answer is right. */
function ask(what: string, question: (at: number) => Question, expected: 'accept' | 'refuse' | null): void {
  const { milliseconds } = timed(() => {
    for (let at = 0; at < QUESTIONS; at += 1) {
      const verdict = verdictOf(policy, question(at))
      if (expected !== null && verdict !== expected) throw new Error(`${what}: expected ${expected}, and the answer is ${verdict}`)
    }
  })
  say(what, `${((milliseconds * 1000) / QUESTIONS).toFixed(1)} µs`)
}

function verdictOf(asked: Policy, question: Question): string {
  const answer = decide(asked, question, { domainExists: new Map(), isMxFor: new Map() }, 'bench')
  return answer.kind === 'decided' ? answer.decision.verdict : answer.missing.kind
}

function timed<Value>(work: () => Value): { readonly result: Value; readonly milliseconds: number } {
  const start = performance.now()
  const result = work()
  return { result, milliseconds: performance.now() - start }
}

function memory(): { readonly heap: number; readonly resident: number } {
  collectGarbage()
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed, resident: rss }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(0)} MB`
}

function say(what: string, words: string): void {
  process.stdout.write(`${what.padEnd(36)}${words}\n`)
}
