/**
 * S24: other accounts of the same machine.
 *
 * Nothing of ours is set-uid, nobody else can look into the data directory, keys that others could
 * read are not used, links are not followed, and the control socket belongs to its owner. The
 * accounts of the processes are in test/process/lifecycle.test.ts.
 */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { workerFlags } from '../../src/process/permissions.ts'
import { prepareSpool } from '../../src/process/run-as.ts'
import { makePostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { root, sourceFiles } from '../source-files.ts'

let postern: Postern

before(async () => {
  postern = await makePostern()
})

after(async () => {
  await postern?.dispose()
})

test('S24: no file of the project is set-uid, set-gid or writable by others', () => {
  const unsafe = sourceFiles(/./).filter(({ name }) => (lstatSync(path.join(root, name)).mode & 0o6002) !== 0)
  assert.deepEqual(unsafe.map(({ name }) => name), [])
})

test('S24: the data directory and everything secret in it are for the owner alone', async t => {
  await postern.start()
  t.after(() => postern.stop())
  const loose = everything(postern.folder).filter(file => isSecret(file) && (lstatSync(file).mode & 0o077) !== 0)
  assert.deepEqual(loose, [])
  assert.equal(lstatSync(path.join(postern.folder, 'control.sock')).mode & 0o777, 0o600)
  for (const folder of ['.', 'ca', 'spool', 'spool/0']) {
    assert.equal(lstatSync(path.join(postern.folder, folder)).mode & 0o777, 0o700, folder)
  }
})

for (const key of ['tls/server.key', 'ca/issuing.key']) {
  test(`S24: ${key} is not used while others can read it`, async () => {
    const file = path.join(postern.folder, key)
    chmodSync(file, 0o440)
    const refused = await postern.command(['run'])
    chmodSync(file, 0o400)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, new RegExp(`${path.basename(key)}.*chmod 0600`))
  })

  test(`S24: ${key} is not used through a link`, async () => {
    const file = path.join(postern.folder, key)
    renameSync(file, `${file}.aside`)
    symlinkSync(`${file}.aside`, file)
    const refused = await postern.command(['run'])
    renameSync(`${file}.aside`, file)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /link/)
  })
}

test('S24: a worker, whoever speaks for it, is no administrator', async t => {
  await postern.start()
  t.after(() => postern.stop())
  const script = path.join(root, 'test', 'process', 'ask-control.ts')
  const spoolFolder = path.join(postern.folder, 'spool')
  // As root, workers are another account; this is what they are where Postern runs as one account alone.
  const { stdout, stderr } = spawnSync(process.execPath, [...workerFlags(spoolFolder, ['0']), `--allow-fs-read=${script}`, script], { cwd: spoolFolder, encoding: 'utf8', env: {}, timeout: 20_000 })
  const refused = '{"ok":false,"problem":"the key in control.key is wanted before the request"}\n'
  assert.deepEqual(JSON.parse(stdout || 'null'), ['ERR_ACCESS_DENIED', refused, refused, refused], stderr)
  assert.ok(Array.isArray(await postern.json(['user', 'list'])), 'the command line is served')
})

test('S24: a spool is given to the workers\' account, and nothing that a link in it leads to', { skip: process.getuid?.() !== 0 && 'only root can give files away' }, t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [spool, outside] = [path.join(folder, 'spool'), path.join(folder, 'outside')]
  mkdirSync(path.join(spool, '0', 'bodies'), { recursive: true, mode: 0o700 })
  mkdirSync(outside)
  for (const file of [path.join(spool, '0', 'bodies', 'left'), path.join(outside, 'shadow')]) writeFileSync(file, '')
  symlinkSync(path.join(outside, 'shadow'), path.join(spool, '0', 'bodies', 'planted'))
  symlinkSync(outside, path.join(spool, '0', 'elsewhere'))
  assert.equal(prepareSpool(spool, ['0'], { name: 'worker', uid: 12_345, gid: 12_345 }).ok, true)
  assert.equal(lstatSync(path.join(spool, '0', 'bodies', 'left')).uid, 12_345)
  for (const file of [outside, path.join(outside, 'shadow')]) assert.equal(lstatSync(file).uid, 0, file)

  rmSync(path.join(spool, '0'), { recursive: true })
  symlinkSync(outside, path.join(spool, '0'))
  assert.equal(prepareSpool(spool, ['0'], { name: 'worker', uid: 12_345, gid: 12_345 }).ok, false)
  assert.equal(lstatSync(outside).uid, 0)
})

/** Exchanges folders of the spool for links to `outside`, and back, without end. */
const EXCHANGER = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs')
  const [spool, outside] = process.argv.slice(1)
  process.setgroups([])
  process.setgid(12345)
  process.setuid(12345)
  const attempt = action => { try { action() } catch {} }
  process.stdout.write('begun')
  for (;;) for (const folder of [spool + '/0/bodies', spool + '/0']) {
    attempt(() => renameSync(folder, folder + '.aside'))
    attempt(() => symlinkSync(outside, folder))
    attempt(() => unlinkSync(folder))
    attempt(() => renameSync(folder + '.aside', folder))
  }`

test('S24: who exchanges folders of the spool while it is given away gets nothing else', { skip: process.getuid?.() !== 0 && 'only root can give files away' }, async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  // The exchanger is another account.
  chmodSync(folder, 0o755)
  const [spool, outside] = [path.join(folder, 'spool'), path.join(folder, 'outside')]
  mkdirSync(path.join(spool, '0', 'bodies'), { recursive: true })
  for (const name of [spool, path.join(spool, '0'), path.join(spool, '0', 'bodies')]) chownSync(name, 12_345, 12_345)
  mkdirSync(path.join(outside, 'bodies'), { recursive: true })
  for (const file of ['shadow', 'bodies/shadow']) writeFileSync(path.join(outside, file), '')
  const exchanger = spawn(process.execPath, ['-e', EXCHANGER, spool, outside], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(exchanger.stdout, 'data')

  let given = 0
  try {
    for (let round = 0; round < 5000; round++) {
      chownSync(spool, 12_345, 12_345)
      if (prepareSpool(spool, ['0'], { name: 'worker', uid: 12_345, gid: 12_345 }).ok) given += 1
      assert.deepEqual(everything(outside).filter(file => lstatSync(file).uid !== 0), [], `round ${round}`)
      assert.deepEqual([lstatSync(outside).uid, lstatSync(outside).mode & 0o777], [0, 0o755], `round ${round}`)
    }
  } finally {
    exchanger.kill('SIGKILL')
    await once(exchanger, 'exit')
  }
  assert.ok(given > 0, 'the spool was given away at least once')
})

test('S24: a second name of somebody else\'s file, planted in the spool, is not given away', { skip: process.getuid?.() !== 0 && 'only root can give files away' }, t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(path.join(folder, 'spool', '0'), { recursive: true })
  const precious = path.join(folder, 'shadow')
  writeFileSync(precious, '')
  linkSync(precious, path.join(folder, 'spool', '0', 'planted'))
  const given = prepareSpool(path.join(folder, 'spool'), ['0'], { name: 'worker', uid: 12_345, gid: 12_345 })
  assert.match(given.ok ? '' : given.problem, /planted has another name besides this one/)
  assert.equal(lstatSync(precious).uid, 0)
})

test('S24: a file in the place of the control socket is left alone', async () => {
  const file = path.join(postern.folder, 'control.sock')
  writeFileSync(file, 'precious')
  const refused = await postern.command(['run'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /control\.sock/)
  assert.equal(lstatSync(file).isFile(), true)
})

function everything(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => path.join(folder, name))
}

function isSecret(file: string): boolean {
  return file.endsWith('.key') || file.includes('/spool/') || file.endsWith('.jsonl')
}
