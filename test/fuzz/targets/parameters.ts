/** Parameters of MAIL and RCPT: values are of their kind, or the whole is refused. */

import assert from 'node:assert/strict'
import { parseMailParameters, parseRcptParameters } from '../../../src/core/smtp/parameters.ts'
import { commandRefusal, formatReply } from '../../../src/core/smtp/reply.ts'
import { commandLines } from '../seeds.ts'
import type { FuzzTarget } from '../target.ts'

const AFTER_PATHS = commandLines().flatMap(line => /^(?:MAIL|RCPT) .*> (.+)$/is.exec(line.toString('latin1'))?.[1] ?? [])

export const target: FuzzTarget = {
  name: 'parameters',
  seeds: AFTER_PATHS.map(text => Buffer.from(text, 'latin1')),
  words: [' SIZE=', ' BODY=8BITMIME', ' BODY=BINARYMIME', ' SMTPUTF8', ' REQUIRETLS', ' AUTH=<>', ' RET=FULL', ' ENVID=', ' NOTIFY=', 'SUCCESS,', 'NEVER', ' ORCPT=', 'rfc822;', 'utf-8;', '+2B', '+00', '\\x{E4}'],
  check(input) {
    const text = input.toString('latin1')
    for (const parsed of [parseMailParameters(text), parseRcptParameters(text)]) {
      if (!parsed.ok) assert.match(formatReply(commandRefusal(parsed.problem)), /^(?:5[0-9]{2}[ -][\t -~]+\r\n)+$/)
      // All of it goes into records, reports and commands of our own (S10, S14).
      else assert.doesNotMatch(Object.values(parsed.value).join('\t'), /[^\t -~]/)
    }
  },
}
