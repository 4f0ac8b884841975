/** Runs the cases of access-map-file.json: what makemap makes of a text. */

import { foldCase, parseAccessMap } from '../../src/core/policy/access-map.ts'
import type { AccessProblem } from '../../src/core/policy/access-map.ts'
import { compare } from './outcome.ts'
import type { CaseOutcome } from './outcome.ts'

type MapFileCase = {
  readonly name: string
  readonly source: string
  readonly expect: {
    readonly entries: Readonly<Record<string, string>>
    readonly status: number
    readonly messages: readonly string[]
  }
}

export function runMapFileCase(input: unknown): CaseOutcome {
  const { name, source, expect } = input as MapFileCase
  const { map, problems } = parseAccessMap(source, 'access')
  const entries = [...map.entries()].map(({ key, value }) => [foldCase(key), value] as const)
  return compare(
    name,
    { entries: sorted(Object.entries(expect.entries)), status: expect.status, messages: expect.messages },
    {
      entries: sorted(entries),
      status: problems.some(problem => problem.faultyLine) ? 65 : 0,
      messages: messagesOf(problems),
    },
  )
}

/** makemap counts what it reads: what a line that is too long leaves behind is a line of its own, and the next ones move on. */
function messagesOf(problems: readonly AccessProblem[]): readonly string[] {
  let partsRead = 0
  return problems
    .filter(problem => problem.faultyLine)
    .map(({ line, rule, text }) => `line ${line + (rule === 'lineTooLong' ? partsRead++ : partsRead)}: ${text}`)
}

function sorted(entries: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}
