/**
 * The power is cut at every step of the authority's work: what it handed out stays in the index, what
 * it revoked stays revoked, and a half-made authority is made anew.
 */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { initAuthority, openAuthority } from '../../src/io/authority-folder.ts'
import { authorityFlags } from '../../src/process/permissions.ts'
import type { CertificateIndex } from '../../src/relay/admin.ts'
import type { Authority } from '../../src/relay/authority.ts'
import { CrashStates } from './crash-states.ts'
import type { Loss } from './crash-states.ts'
import { traceCalls, untraceable } from './system-calls.ts'

const WORKER = path.join(import.meta.dirname, 'authority-worker.ts')

test('no promise of the authority is broken by a power cut between any two calls to the disk', { skip: untraceable }, async t => {
  const scratch = scratchFolder(t)
  const folder = path.join(scratch, 'ca')
  mkdirSync(folder, { mode: 0o700 })
  const states = new CrashStates(traceCalls([...authorityFlags(folder), WORKER, folder], path.join(scratch, 'log')), folder)
  assert.equal(states.said(states.length).length, 1 + 3 + 1, 'the work was done')
  for (let upTo = 0; upTo <= states.length; upTo++) {
    for (const loss of [...LOSSES, everySecond(0), everySecond(1)]) {
      const remains = path.join(scratch, 'remains')
      mkdirSync(remains, { mode: 0o700 })
      states.restore(upTo, loss, remains)
      await checkRemains(remains, states.said(upTo)).catch((error: unknown) => {
        throw new Error(`crash after ${upTo} of ${states.length} events, unsynced writes ${typeof loss === 'string' ? loss : 'lost in part'}`, { cause: error })
      })
      rmSync(remains, { recursive: true })
    }
  }
})

async function checkRemains(folder: string, said: readonly string[]): Promise<void> {
  const opened = await openAuthority(location(folder))
  if (!opened.ok) {
    assert.equal(said.includes('made'), false, opened.problem)
    assert.match(opened.problem, /run "postern init" again$|make one with: postern init$/)
    await (await made(folder)).close()
    return
  }
  const index = await indexOf(opened.value)
  const live = index.live.map(({ fingerprint }) => fingerprint)
  const revoked = index.revoked.map(({ fingerprint }) => fingerprint)
  const told = (word: string): readonly string[] => said.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1))
  for (const fingerprint of told('revoked')) assert.ok(revoked.includes(fingerprint), 'a revocation that was told holds')
  for (const fingerprint of told('issued')) assert.ok(live.includes(fingerprint) || revoked.includes(fingerprint), 'a certificate that was handed out is known')
  assert.ok(live.length + revoked.length <= told('issued').length + 1, 'at most the act that was cut off is there besides')
  await opened.value.close()
}

const LOSSES = ['kept', 'lost'] as const satisfies readonly Loss[]

/** Of the writes that were not safe, every second is lost. */
function everySecond(first: number): Loss {
  let at = first
  return { random: () => (at++ % 2 === 0 ? 0 : 0.9) }
}

test('a record that a crash cut short anywhere is dropped, the rest stays, and the next one follows it', async t => {
  const scratch = scratchFolder(t)
  const original = path.join(scratch, 'original')
  const authority = await made(original)
  await issue(authority, 'joe')
  await issue(authority, 'ann')
  await authority.close()
  const text = readFileSync(path.join(original, 'index.jsonl'), 'utf8')
  const lastLine = text.lastIndexOf('\n', text.length - 2) + 1
  for (let length = lastLine; length < text.length; length += length < text.length - 20 ? 37 : 1) {
    const folder = path.join(scratch, 'cut')
    cpSync(original, folder, { recursive: true, preserveTimestamps: true })
    truncateSync(path.join(folder, 'index.jsonl'), length)
    const cut = await opened(folder)
    // The whole record without its end of line counts: an editor may have taken that away.
    const names = length === text.length - 1 ? ['joe', 'ann'] : ['joe']
    assert.deepEqual((await indexOf(cut)).live.map(({ name }) => name), names, `cut to ${length} bytes`)
    await issue(cut, 'eve')
    await cut.close()
    const repaired = readFileSync(path.join(folder, 'audit.jsonl'), 'utf8').includes('"act":"repair"')
    assert.equal(repaired, length > lastLine, 'a repair is in the audit log')
    const again = await opened(folder)
    assert.deepEqual((await indexOf(again)).live.map(({ name }) => name), [...names, 'eve'])
    await again.close()
    rmSync(folder, { recursive: true })
  }
})

test('what a crash left of the last line of the audit log does not spoil the next', async t => {
  const folder = path.join(scratchFolder(t), 'ca')
  await (await made(folder)).close()
  const file = path.join(folder, 'audit.jsonl')
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"at":17954`)
  const authority = await opened(folder)
  await issue(authority, 'joe')
  await authority.close()
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  assert.deepEqual(lines.map(line => (JSON.parse(line) as { act: string }).act), ['create', 'issueClient'])
})

function scratchFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'postern-authority-power-')))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function location(folder: string) {
  return { folder, passphrase: null, now: () => Date.now(), randomBytes: (size: number) => randomBytes(size) }
}

async function made(folder: string): Promise<Authority> {
  const result = await initAuthority({ ...location(folder), organisation: 'example.org', hostname: 'mail.example.org', caName: null, keyType: 'p256' })
  return result.ok ? result.value : assert.fail(result.problem)
}

async function opened(folder: string): Promise<Authority> {
  const result = await openAuthority(location(folder))
  return result.ok ? result.value : assert.fail(result.problem)
}

async function issue(authority: Authority, name: string): Promise<void> {
  const request = { do: 'issueClient', name, kind: 'person', addresses: [`${name}@example.org`], dnsNames: [], senders: [], keyType: 'p256', days: 365, format: 'pem' } as const
  const result = await authority.handle(request)
  assert.ok(result.ok, result.ok ? '' : result.problem)
}

async function indexOf(authority: Authority): Promise<CertificateIndex> {
  const result = await authority.handle({ do: 'index' })
  return result.ok && result.answer.kind === 'index' ? result.answer.index : assert.fail()
}
