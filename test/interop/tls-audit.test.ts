/**
 * What testssl.sh finds wrong with our TLS: nothing but what is listed here, and in docs/certificates.md,
 * with the reason.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startPostern, type Listener, type Postern } from '../support/postern.ts'
import { run } from '../support/processes.ts'
import { missing, program } from './programs.ts'

/** A line of testssl's report. */
type Finding = { readonly id: string; readonly severity: string; readonly finding: string }

const UNREMARKABLE = new Set(['OK', 'INFO'])

const EXPECTED: ReadonlyMap<string, string> = new Map([
  ['engine_problem', 'about the openssl that testssl.sh uses'],
  ['cert_chain_of_trust', 'a site has an authority of its own, which testssl.sh does not know'],
  ['cert_revocation', 'the certificates of a site\'s own servers name no place to ask for revocation'],
  ['DNS_CAArecord', 'localhost has no CAA record'],
  [
    'sessionresumption_ticket',
    'testssl.sh leaves as soon as the handshake is over; with TLS 1.3 the ticket follows it, and comes in time or not',
  ],
])

/** Strangers' servers may use old ciphers on mx: without them they would send in the clear. */
const EXPECTED_ON_MX: ReadonlyMap<string, string> = new Map([
  ...EXPECTED,
  ['cipherlist_AVERAGE', 'CBC suites of TLS 1.2'],
  ['LUCKY13', 'the same; OpenSSL has the countermeasure'],
])

let postern: Postern

before(async () => {
  postern = await startPostern()
})

after(async () => {
  await postern?.dispose()
})

/** Over STARTTLS: testssl.sh trips over a server on an unknown port that speaks TLS first and is no web server. */
test('testssl.sh finds nothing to object to', { skip: missing('testssl') }, async () => {
  await Promise.all([objects('mx', EXPECTED_ON_MX), objects('submission', EXPECTED)])
})

async function objects(listener: Listener, expected: ReadonlyMap<string, string>): Promise<void> {
  const findings = await audit(listener)
  assert.ok(findings.some(({ id, severity }) => id === 'TLS1_3' && severity === 'OK'), 'it came as far as the protocols')
  assert.ok(findings.some(({ id, severity }) => id === 'heartbleed' && severity === 'OK'), 'it came as far as the vulnerabilities')
  const unexpected = findings.filter(({ id, severity }) => !UNREMARKABLE.has(severity) && !expected.has(id))
  assert.deepEqual(unexpected, [], listener)
}

/** Protocols, ciphers, forward secrecy, server's choices and defaults, known vulnerabilities. */
async function audit(listener: Listener): Promise<readonly Finding[]> {
  const report = join(postern.folder, '..', `testssl-${listener}.json`)
  // prettier-ignore
  const finished = await run(program('testssl'), [
    '--quiet', '--color', '0', '--warnings', 'off', '-p', '-s', '-f', '-P', '-S', '-U', '--starttls', 'smtp',
    '--ip', '127.0.0.1', '--jsonfile', report, `localhost:${postern.ports[listener]}`,
  ], { timeoutSeconds: 150 })
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as readonly Finding[]
  } catch {
    throw new Error(`testssl.sh wrote no report\n${finished.stdout}${finished.stderr}`)
  }
}
