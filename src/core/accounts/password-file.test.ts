import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPasswordFile, parsePasswordFile, type PasswordFile } from './password-file.ts'

const key = 'A'.repeat(43) + '='
const file: PasswordFile = {
  site: { record: 'site', secret: key, argon2id: { memory: 19_456, passes: 2, parallelism: 1 }, scramIterations: 16_384 },
  passwords: [
    {
      record: 'password',
      id: 'abcdefgh',
      holder: 'joe',
      device: 'phone',
      createdAt: 5,
      networks: ['192.0.2.0/24'],
      argon2id: key,
      scram: [{ hash: 'SHA-256', login: 'joe', storedKey: key, serverKey: key }],
    },
  ],
}

test('what is written reads back', () => {
  assert.deepEqual(parsePasswordFile(formatPasswordFile(file), 'users'), { ok: true, value: file })
})

const damaged: readonly (readonly [what: string, change: (text: string) => string, problem: RegExp])[] = [
  ['empty', () => '', /^users:1: is not JSON; restore the file from a backup/],
  ['without the site', text => text.split('\n').slice(1).join('\n'), /^users:1: /],
  ['cut short', text => text.slice(0, -20), /^users:2: is not JSON/],
  ['with a hash that is none', text => text.replace(`"argon2id":"${key}"`, '"argon2id":"x"'), /^users:2: argon2id: /],
  ['with something unknown', text => text.replace('"device"', '"admin":true,"device"'), /^users:2: /],
  ['with the same password twice', text => text + text.split('\n')[1], /^users:3: the password abcdefgh is there twice/],
  ['with fewer iterations than SCRAM allows', text => text.replace('16384', '1'), /^users:1: scramIterations: /],
]

for (const [what, change, problem] of damaged) {
  test(`S10: a file of passwords ${what} is refused with its line`, () => {
    const read = parsePasswordFile(change(formatPasswordFile(file)), 'users')
    assert.match(read.ok ? 'read' : read.problem, problem)
  })
}
