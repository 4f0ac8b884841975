/** The access map: a file is read whatever is in it, each entry is found again, and formatting changes no meaning. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { formatAccessMap } from '../../../src/core/policy/access-format.ts'
import { formatAccessProblem, parseAccessMap } from '../../../src/core/policy/access-map.ts'
import type { FuzzTarget } from '../target.ts'

const EXAMPLES = ['sendmail/hub/mail/access', 'sendmail/gateway/mail/access', 'sendmail/branch/mail/access', 'sendmail/cf-only/mail/access']

export const target: FuzzTarget = {
  name: 'access-map',
  seeds: [
    ...EXAMPLES.map(file => readFileSync(`${import.meta.dirname}/../../migrate/${file}`)),
    Buffer.from('CERTISSUER:/O=Example/CN=Example+20CA\tRELAY\nConnect:192.0.2\tREJECT\n# a comment\n\nTo:joe@example.org "550 no"\nCERTFP:sha256:00 RELAY\n'),
  ],
  words: ['CERTISSUER:', 'CERTSUBJECT:', 'CERTFP:', 'CERTSAN:', 'USER:', 'Connect:', 'From:', 'To:', 'TLS_Srv:', '\tRELAY\n', '\tREJECT\n', '\tERROR:5.7.1:550 ', '\tVERIFY:128+CN:', '+20', '#', '\\', '\n', '\r\n', '/CN=', '192.0.2.0/24', 'x'.repeat(260)],
  check(input) {
    const text = input.toString('utf8')
    const { map, problems } = parseAccessMap(text, 'access')
    const lines = text.split('\n').length
    for (const problem of problems) {
      assert.ok(problem.line >= 1 && problem.line <= lines, formatAccessProblem(problem))
      assert.doesNotMatch(formatAccessProblem(problem), /\n/)
    }
    const formatted = formatAccessMap(text)
    assert.equal(formatAccessMap(formatted), formatted, 'formatted twice is formatted once')
    assert.deepEqual(entries(formatted), [...map.entries()].map(meaning), 'formatting changes no meaning')
  },
}

function entries(text: string): readonly string[] {
  return [...parseAccessMap(text, 'access').map.entries()].map(meaning)
}

function meaning({ key, value, line }: { readonly key: string; readonly value: string; readonly line: number }): string {
  // Blanks and CR at the end say nothing, and formatting takes them off.
  return `${line} ${key} ${value.replace(/[ \t\r]+$/, '')}`
}
