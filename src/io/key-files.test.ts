import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { checkDataFolder, checkGrantingFile, checkKeyFile, readKeyFile } from './key-files.ts'

const isRoot = process.geteuid?.() === 0
const root = mkdtempSync(path.join(tmpdir(), 'postern-keys-'))
test.after(() => rmSync(root, { recursive: true }))

let made = 0
function keyFile(mode: number, folderMode = 0o700): string {
  const folder = path.join(root, `folder ${(made += 1)}`)
  mkdirSync(folder)
  chmodSync(folder, folderMode)
  const file = path.join(folder, 'x.key')
  writeFileSync(file, 'the key')
  chmodSync(file, mode)
  return file
}

for (const mode of [0o400, 0o600, 0o500]) {
  test(`S24: a key of mode 0${mode.toString(8)} is read`, () => {
    assert.deepEqual(readKeyFile(keyFile(mode)), { ok: true, value: 'the key' })
  })
}

for (const mode of [0o440, 0o444, 0o640, 0o620, 0o602, 0o410, 0o401, 0o777]) {
  test(`S24: a key of mode 0${mode.toString(8)} is refused, with the command that mends it`, () => {
    const file = keyFile(mode)
    assert.equal(checkKeyFile(file), `${file}: other accounts can use this file (mode 0${mode.toString(8)}); run: chmod 0600 '${file}'`)
  })
}

for (const mode of [0o770, 0o777, 0o702, 0o1777]) {
  test(`S24: a key in a folder of mode 0${mode.toString(8)} could be replaced`, () => {
    assert.match(checkKeyFile(keyFile(0o400, mode)) ?? '', /can replace files in this folder \(mode [01]7[0-7]{2}\); run: chmod go-w '/)
  })
}

test('a key in a folder that others may look into is fine', () => assert.equal(checkKeyFile(keyFile(0o400, 0o755)), null))

test('S24: a symbolic link is refused, also to a key that is right', () => {
  const file = keyFile(0o400)
  const link = path.join(path.dirname(file), 'link.key')
  symlinkSync(file, link)
  assert.match(checkKeyFile(link) ?? '', /symbolic link/)
  symlinkSync('/nonexistent', path.join(path.dirname(file), 'dangling.key'))
  assert.match(checkKeyFile(path.join(path.dirname(file), 'dangling.key')) ?? '', /symbolic link/)
})

test('S24: what the settings name and grants rights may be read by others, also through a link, and not written or replaced', () => {
  const file = keyFile(0o644, 0o755)
  const link = path.join(path.dirname(file), 'link')
  symlinkSync(file, link)
  assert.deepEqual([checkGrantingFile(file), checkGrantingFile(link), checkGrantingFile(path.join(root, 'nowhere'))], [null, null, null])
  chmodSync(file, 0o664)
  assert.equal(checkGrantingFile(link), `${file}: other accounts can change who may relay (mode 0664); run: chmod go-w '${file}'`)
  assert.match(checkGrantingFile(keyFile(0o644, 0o777)) ?? '', /can replace files in this folder/)
})

test('S24: a folder that is a symbolic link is refused', () => {
  const file = keyFile(0o400)
  const link = path.join(root, 'linked')
  symlinkSync(path.dirname(file), link)
  assert.match(checkKeyFile(path.join(link, 'x.key')) ?? '', /linked: is a symbolic link/)
})

test('S24: what is no plain file is refused and never waited for', () => {
  const file = keyFile(0o400)
  const pipe = path.join(path.dirname(file), 'pipe.key')
  execFileSync('mkfifo', ['-m', '600', pipe])
  assert.match(checkKeyFile(pipe) ?? '', /not a plain file/)
  assert.match(checkKeyFile(path.dirname(file)) ?? '', /not a plain file/)
})

test('a missing key is named', () => assert.match(checkKeyFile(path.join(root, 'none.key')) ?? '', /none\.key: no such file/))

test('a hard link has the mode of its file', () => {
  const file = keyFile(0o440)
  const other = path.join(path.dirname(file), 'other.key')
  linkSync(file, other)
  assert.match(checkKeyFile(other) ?? '', /chmod 0600/)
})

test('S24: a key of another account is refused', { skip: isRoot ? false : 'needs root' }, () => {
  const file = keyFile(0o400)
  chownSync(file, 12_345, 12_345)
  assert.equal(checkKeyFile(file), `${file}: belongs to another account (uid 12345, not 0); run: chown 0 '${file}'`)
})

test('root takes the keys of the account that owns their folder', { skip: isRoot ? false : 'needs root' }, () => {
  const file = keyFile(0o400)
  chownSync(path.dirname(path.dirname(file)), 12_345, 12_345)
  chownSync(path.dirname(file), 12_345, 12_345)
  chownSync(file, 12_345, 12_345)
  assert.equal(checkKeyFile(file), null)
  chownSync(path.dirname(path.dirname(file)), 0, 0)
})

test('a data directory as init makes it has no problems', () => {
  const directory = dataFolder()
  assert.deepEqual(checkDataFolder(directory), [])
})

test('started as root, the spool is the account of the workers', { skip: isRoot ? false : 'needs root' }, () => {
  const directory = dataFolder()
  chownSync(path.join(directory, 'spool'), 12_345, 12_345)
  assert.deepEqual(checkDataFolder(directory), [])
})

test('S24: everything that is unsafe in a data directory is named at once', () => {
  const directory = dataFolder()
  const at = (name: string): string => path.join(directory, name)
  chmodSync(at('ca'), 0o750)
  chmodSync(at('ca/issuing.key'), 0o444)
  chmodSync(at('tls'), 0o775)
  chmodSync(at('tls/server.key'), 0o640)
  chmodSync(at('access'), 0o666)
  chmodSync(at('spool'), 0o755)
  chmodSync(at('users'), 0o644)
  const problems = checkDataFolder(directory)
  const named = problems.map(problem => path.relative(directory, problem.slice(0, problem.indexOf(': '))))
  assert.deepEqual(new Set(named), new Set(['access', 'users', 'ca', 'spool', 'tls', 'ca/issuing.key', 'tls/server.key']))
  for (const problem of problems) assert.match(problem, /; run: chmod /)
})

test('what is missing from a data directory is no concern of the check', () => {
  const directory = path.join(root, 'empty')
  mkdirSync(directory, { mode: 0o700 })
  assert.deepEqual(checkDataFolder(directory), [])
  assert.deepEqual(checkDataFolder(path.join(root, 'nowhere')), [])
})

function dataFolder(): string {
  const directory = path.join(root, `data-${(made += 1)}`)
  for (const folder of ['', 'ca', 'tls', 'spool']) mkdirSync(path.join(directory, folder), { mode: 0o700 })
  const files = { 'postern.toml': 0o644, access: 0o644, users: 0o600, 'ca/issuing.key': 0o400, 'ca/ca.pem': 0o444, 'tls/server.key': 0o400 }
  for (const [name, mode] of Object.entries(files)) {
    writeFileSync(path.join(directory, name), '')
    chmodSync(path.join(directory, name), mode)
  }
  return directory
}
