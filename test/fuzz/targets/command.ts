/** Command lines: read or refused with a reason; what was read can be written and read again. */

import assert from 'node:assert/strict'
import { parseCommand } from '../../../src/core/smtp/command.ts'
import { commandRefusal, formatReply } from '../../../src/core/smtp/reply.ts'
import { commandLines } from '../seeds.ts'
import type { FuzzTarget } from '../target.ts'

export const target: FuzzTarget = {
  name: 'command',
  seeds: commandLines(),
  words: ['MAIL FROM:', 'RCPT TO:', 'BDAT ', ' LAST', 'EHLO ', 'AUTH ', 'VRFY ', '<@a.example:', '> ', ' SIZE=', ' BODY=', ' NOTIFY=', ' ORCPT=rfc822;', ' ENVID='],
  check(input) {
    const text = input.toString('latin1')
    const command = parseCommand({ kind: 'line', text })
    if (!command.ok) {
      assert.match(formatReply(commandRefusal(command.problem)), /^(?:5[0-9]{2}[ -][\t -~]+\r\n)+$/)
      return
    }
    const { value } = command
    assert.equal(text.slice(0, value.verb.length).toUpperCase(), value.verb)
    if (value.verb === 'MAIL' || value.verb === 'RCPT') {
      const written = `${value.verb} ${value.verb === 'MAIL' ? 'FROM' : 'TO'}:<${value.path.address}>`
      const again = parseCommand({ kind: 'line', text: Buffer.from(written).toString('latin1') })
      assert.ok(again.ok && 'path' in again.value, `${written} is read again`)
      assert.equal(again.value.path.address, value.path.address)
    }
    if (value.verb === 'BDAT') assert.ok(value.chunk.sizeOctets >= 0 && value.chunk.sizeOctets <= 1e20)
  },
}
