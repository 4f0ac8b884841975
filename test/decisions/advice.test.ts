/**
 * Advice is tried: whatever `explain` says would change an answer is done to the site that the answer came from,
 * and the same question then has another answer.
 */

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { adviceFor } from '../../src/core/policy/advice.ts'
import type { Decision } from '../../src/core/policy/decision.ts'
import { decideLine, partsOf } from './decision-file.ts'

const folder = import.meta.dirname
const tried = new Map<string, number>()

for (const file of readdirSync(folder).filter(name => name.endsWith('.txt'))) {
  test(`advice works: ${file}`, () => {
    const { head, questions } = partsOf(readFileSync(path.join(folder, file), 'utf8'))
    for (const line of questions) {
      const given = decideLine(head, line)
      // That is asked only while the line is there.
      if (given === null || given.question.kind === 'startTls') continue
      const advice = adviceFor(given.question, given.decision)
      const { verdict } = given.decision
      assert.ok(advice !== null || verdict === 'accept', `nothing is advised against: ${line}`)
      for (const [change, changed] of changesIn(advice ?? '', head)) {
        const after = decideLine(changed, line)?.decision
        assert.ok(after !== undefined && answerOf(after) !== answerOf(given.decision), `${line}\n${advice}\n${change} changes nothing`)
        if (verdict === 'refuse') assert.equal(after.verdict, 'accept', `${line}\n${advice}\n${change} is not enough`)
      }
    }
  })
}

test('every kind of change that is advised has been tried', () => {
  assert.deepEqual([...tried.keys()].sort(), ['add', 'remove', 'replace', 'set'])
})

function answerOf({ verdict, reply, relay, because }: Decision): string {
  const rule = because.findLast(({ kind }) => kind === 'rule')
  return JSON.stringify([verdict, reply, relay, rule])
}

/** Each change of the site that the words name, and what the site is like then. */
function* changesIn(advice: string, head: string): Generator<readonly [change: string, head: string]> {
  const change = (kind: string, words: string, changed: string): readonly [string, string] => {
    tried.set(kind, (tried.get(kind) ?? 0) + 1)
    return [words, changed]
  }
  for (const [words, line = ''] of advice.matchAll(/a line `([^`]+)` in access/g)) yield change('add', words, withLines(head, lines => [...lines, line]))
  // A line that keeps clients from proving who they are has an effect before anything is asked.
  const lines = advice.includes('keeps this client from proving') ? [] : advice.matchAll(/change or remove access:(\d+)/g)
  for (const [words, number = ''] of lines) {
    yield change('remove', words, withLines(head, lines => lines.map((line, at) => (at + 1 === Number(number) ? '#' : line))))
  }
  for (const [words, value = '', number = ''] of advice.matchAll(/((?:RELAY|OK)\S*) as the value of access:(\d+)/g)) yield change('replace', words, withValue(head, Number(number), value))
  const grants = [...advice.matchAll(/domain = "(\S+)"` and `for = \["(\S+)"\]/g)].map(([, domain = '', holder = '']) => `${domain}=${holder}`)
  if (grants.length > 0) yield change('set', advice, head.replace(/^etrn:/m, `etrn: ${grants.join(' ')}`))
  const [, subject = ''] = /access:(\d+) .* gives no permission: RELAY would/.exec(advice) ?? []
  if (subject !== '') yield change('replace', advice, withValue(head, Number(subject), 'RELAY'))
  for (const [words, setting = '', value = ''] of advice.matchAll(/set relay\.(sender|header-from)-binding to "(\w+)"/g)) {
    const name = `${setting.replace('-', ' ')} binding`
    yield change('set', words, `${head.replace(new RegExp(`^${name}:.*\\n`, 'm'), '').trimEnd()}\n${name}: ${value}\n\n`)
  }
}

function withValue(head: string, number: number, value: string): string {
  return withLines(head, lines => lines.map((line, at) => (at + 1 === number ? line.replace(/^(\S+)\s+.*/, `$1 ${value}`) : line)))
}

/** The access map begins where the settings say so. */
function withLines(head: string, change: (lines: readonly string[]) => readonly string[]): string {
  const before = /^access:\n((?: {4}.*\n)*)/m.exec(head)
  const lines = (before?.[1] ?? '').split('\n').slice(0, -1).map(line => line.slice(4))
  const access = `access:\n${change(lines).map(line => `    ${line}\n`).join('')}`
  return before === null ? `${head.trimEnd()}\n${access}\n` : head.replace(before[0], () => access)
}
