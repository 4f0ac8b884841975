import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSendmailWords, type SendmailCall } from './arguments.ts'

const NOTHING: SendmailCall = { mode: 'submit', readsRecipients: false, ignoresDots: false, isVerbose: false, sender: null, fullName: null, notify: null, returned: null, envelopeId: null, recipients: [], directory: null }

function check(line: string, expected: Partial<SendmailCall>): void {
  assert.deepEqual(parseSendmailWords(line.split(' ')), { ok: true, value: { ...NOTHING, ...expected } }, line)
}

test('options as programs write them', () => {
  check('-t -i', { readsRecipients: true, ignoresDots: true })
  check('-ti', { readsRecipients: true, ignoresDots: true })
  check('-oi -oem -t', { readsRecipients: true, ignoresDots: true })
  check('-f joe@example.org ann@example.net', { sender: 'joe@example.org', recipients: ['ann@example.net'] })
  check('-fjoe@example.org -- -odd@example.net', { sender: 'joe@example.org', recipients: ['-odd@example.net'] })
  check('-r joe -FJoe -tifann ann', { readsRecipients: true, ignoresDots: true, sender: 'ann', fullName: 'Joe', recipients: ['ann'] })
  check('-f -t', { sender: '-t' })
  check('-bm -n -m -s -G -U ann', { recipients: ['ann'] })
  check('-iv ann', { ignoresDots: true, isVerbose: true, recipients: ['ann'] })
  check('-bs', { mode: 'smtp' })
  check('-bp', { mode: 'listQueue' })
  check('-q', { mode: 'runQueue' })
  check('-q30m -odq', { mode: 'runQueue' })
  check('-B 8BITMIME -L tag -O QueueDirectory=/x -X /log -C /cf -h 3 -p ESMTP -Ac -d0.1 ann', { recipients: ['ann'] })
  check('-N never -R hdrs -V a+b ann', { notify: [], returned: 'HDRS', envelopeId: 'a+2Bb', recipients: ['ann'] })
  check('-Ndelay,Success -Rfull', { notify: ['SUCCESS', 'DELAY'], returned: 'FULL' })
  check('-OIgnoreDots=yes ann', { ignoresDots: true, recipients: ['ann'] })
  check('ann -i bob', { ignoresDots: true, recipients: ['ann', 'bob'] })
  check('--dir D -t', { directory: 'D', readsRecipients: true })
  check('--dir=D -t', { directory: 'D', readsRecipients: true })
  check('-- --dir D', { recipients: ['--dir', 'D'] })
})

test('what means another program, or nothing, is wrong usage', () => {
  for (const line of ['-bd', '-bi', '-bt', '-b', '-f', '-ti -F', '-z', '-tz', '-N always', '-N never,delay', '-N delay,delay,', '-R all', '-V x\n', `-V ${'x'.repeat(101)}`, '--help', '--dir']) assert.equal(parseSendmailWords(line.split(' ')).ok, false, line)
})

test('the folder of the settings is named in front of all that a stranger may have written', () => {
  for (const line of ['ann --dir=/tmp/evil', '-t --dir=D', '-bm --dir=D', '-t -i -fweb@example.test --dir /tmp/evil', '--dir D --dir=E']) {
    assert.deepEqual(parseSendmailWords(line.split(' ')), { ok: false, problem: '--dir counts directly behind "postern sendmail" only' }, line)
  }
  check('-f --dir=D ann', { sender: '--dir=D', recipients: ['ann'] })
})
